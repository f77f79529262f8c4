# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages that are not installed but unpacked into a directory: of another suite or another
# architecture. apt works on separate lists, so it needs neither root nor a change of the machine's
# configuration. Sourced after lib.sh.

# The directory, and the options that make apt-get and apt-cache work on it.
apt_options=()
apt_directory=

# debian_mirror ARCHIVE: the mirror of debian or debian-security that the machine's own apt configuration names.
debian_mirror() {
	local archive=$1
	# shellcheck disable=SC2016 # apt-get replaces it
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
		grep -E "/$archive/?\$" | head -n 1 ||
		die "apt's configuration names no mirror of $archive."
}

# ask_apt DIRECTORY ARCHITECTURE [SUITE...]: fetches the package lists of the suites, or without any
# those of the machine's own sources, into DIRECTORY, and sets apt_options.
ask_apt() {
	local directory=$1 architecture=$2 mirror suite
	shift 2
	apt_directory=$directory
	mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial"
	: >"$directory/status"
	# On a terminal apt shows how far it is.
	apt_options=(-o APT::Architecture="$architecture" -o APT::Architectures="$architecture"
		-o Dir::State="$directory" -o Dir::State::Lists="$directory/lists"
		-o Dir::State::status="$directory/status" -o Dir::Cache="$directory/cache"
		-o APT::Sandbox::User= -o Acquire::Retries=3 -o Acquire::Languages=none
		-o APT::Install-Recommends=false -o Debug::NoLocking=true)
	[ -t 2 ] || apt_options+=(-q)
	if [ $# -gt 0 ]; then
		mirror=$(debian_mirror debian)
		for suite; do
			printf 'deb [signed-by=%s] %s %s main\n' \
				/usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$suite"
		done >"$directory/sources.list"
		apt_options+=(-o Dir::Etc::SourceList="$directory/sources.list"
			-o Dir::Etc::SourceParts=/nonexistent)
	fi
	# A source of the machine that is for another architecture only, such as a vendor's, may fail.
	apt-get "${apt_options[@]}" update >&2 || [ $# -eq 0 ] ||
		die "the package lists of $* could not be fetched."
}

# unpack_packages ROOT PACKAGE...: unpacks just these below ROOT. After ask_apt.
unpack_packages() {
	local root=$1
	shift
	mkdir -p "$root.packages"
	(cd "$root.packages" && apt-get "${apt_options[@]}" download "$@" >&2) ||
		die "apt could not fetch $*."
	extract_packages "$root" "$root.packages"
	rm -rf "$root.packages"
}

# unpack_root ROOT PACKAGE...: unpacks these below ROOT with all that they need, down to the C
# library, so that programs run there whatever the machine has. After ask_apt.
unpack_root() {
	local root=$1
	shift
	apt-get "${apt_options[@]}" -y --download-only install base-files "$@" >&2 ||
		die "apt could not fetch $*."
	extract_packages "$root" "$apt_directory/cache/archives"
}

# extract_packages ROOT DIRECTORY: unpacks the packages in a directory, several at a time.
extract_packages() {
	local root=$1 directory=$2
	mkdir -p "$root"
	# The links /bin, /lib and the like come first: other packages write through them.
	find "$directory" -maxdepth 1 -name 'base-files_*.deb' -exec dpkg-deb --extract {} "$root" \;
	find "$directory" -maxdepth 1 -name '*.deb' ! -name 'base-files_*' -print0 |
		xargs -0 --no-run-if-empty --max-procs="$(nproc)" -I {} dpkg-deb --extract {} "$root"
}
