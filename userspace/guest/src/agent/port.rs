// SPDX-License-Identifier: GPL-2.0

//! Finding and opening the virtio-serial port.
//!
//! A port gets its name some time after its device appears, and the kernel announces that by a
//! uevent. So uevents are subscribed to first, then the ports are looked through, and again
//! after each uevent.

use std::{
    fs::{
        self,
        File,
        OpenOptions, //
    },
    io,
    os::fd::{
        AsFd,
        AsRawFd,
        OwnedFd, //
    },
    path::{
        Path,
        PathBuf, //
    },
    time::{
        Duration,
        Instant, //
    }, //
};

use nix::{
    errno::Errno,
    poll::{
        poll,
        PollFd,
        PollFlags,
        PollTimeout, //
    },
    sys::socket::{
        bind,
        recv,
        socket,
        AddressFamily,
        MsgFlags,
        NetlinkAddr,
        SockFlag,
        SockProtocol,
        SockType, //
    }, //
};

use crate::report::Failure;

/// The name of the agent's port.
pub const NAME: &str = "rust_kexec.agent";

/// How long the port may take to appear.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the kernel lists the ports.
const PORTS: &str = "/sys/class/virtio-ports";

/// The multicast group of the kernel's own uevents.
const KERNEL_UEVENTS: u32 = 1;

/// Waits for the port called `name` and opens it.
pub fn open(name: &str, patience: Duration) -> Result<File, Failure> {
    let uevents = Uevents::subscribe()
        .map_err(|errno| Failure::errno("cannot subscribe to the kernel's uevents", errno))?;
    let deadline = Instant::now() + patience;
    let device = loop {
        if let Some(device) = find(Path::new(PORTS), name) {
            break device;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::new(format!(
                "no virtio-serial port is called {name} after {} s: \
                 the host must start the guest with one",
                patience.as_secs()
            )));
        }
        uevents
            .wait(left)
            .map_err(|errno| Failure::errno("cannot wait for a uevent", errno))?;
    };
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(&device)
        .map_err(|error| Failure::io(format_args!("cannot open {}", device.display()), &error))
}

/// The device of the port called `name`, if there is one yet.
fn find(ports: &Path, name: &str) -> Option<PathBuf> {
    // The class's directory appears with the driver.
    fs::read_dir(ports)
        .ok()?
        .filter_map(io::Result::ok)
        .find(|port| {
            fs::read_to_string(port.path().join("name")).is_ok_and(|text| text.trim_end() == name)
        })
        .map(|port| Path::new("/dev").join(port.file_name()))
}

/// The kernel's announcements of devices.
struct Uevents(OwnedFd);

impl Uevents {
    fn subscribe() -> nix::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Datagram,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkKObjectUEvent,
        )?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, KERNEL_UEVENTS))?;
        Ok(Self(socket))
    }

    /// Waits for a uevent, of whatever kind, or until the time is over.
    fn wait(&self, time: Duration) -> nix::Result<()> {
        let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
        let mut sockets = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut sockets, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let mut buffer = [0; 4096];
        loop {
            match recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                // ENOBUFS tells of uevents that were lost: they happened all the same.
                Ok(_) | Err(Errno::EINTR | Errno::ENOBUFS) => {}
                Err(Errno::EAGAIN) => return Ok(()),
                Err(errno) => return Err(errno),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_by_its_name() -> io::Result<()> {
        let ports = std::env::temp_dir().join(format!("guest-ports-{}", std::process::id()));
        for (port, name) in [
            ("vport0p1", Some("other\n")),
            ("vport0p2", None),
            ("vport1p3", Some("rust_kexec.agent\n")),
        ] {
            let port = ports.join(port);
            fs::create_dir_all(&port)?;
            if let Some(name) = name {
                fs::write(port.join("name"), name)?;
            }
        }
        let found = find(&ports, NAME);
        let absent = find(&ports, "rust_kexec");
        fs::remove_dir_all(&ports)?;
        assert_eq!(found.as_deref(), Some(Path::new("/dev/vport1p3")));
        assert_eq!(absent, None);
        assert_eq!(find(&ports, NAME), None);
        Ok(())
    }
}
