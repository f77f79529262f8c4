// SPDX-License-Identifier: GPL-2.0

//! Manual pages of section 8: names, options and exit status from the definition of a command line, and prose
//! that is beside it. And completions for shells.

mod completions;

use std::{
    io::{
        self,
        Write, //
    },
    iter::once, //
};

use clap::{
    Arg,
    Command, //
};
use clap_mangen::{
    roff::{
        bold,
        roman,
        Roff, //
    },
    Man, //
};

pub use completions::{
    complete,
    wanted, //
};

/// When a page was last changed in more than its layout.
const DATE: &str = "2026-11-27";

/// The page of a program, which is in `userspace/PROGRAM`. `description` says more than its help text has, and
/// `sections` are those that no definition has: files, examples and further reading. Neither has a title.
pub fn page(command: Command, description: &str, sections: &str) -> io::Result<String> {
    let program = command.get_name().to_owned();
    let mut command = command
        .disable_help_subcommand(true)
        .mut_subcommands(|subcommand| with_aliases(subcommand.disable_help_flag(true)));
    command = with_aliases(command);
    command.build();
    let man = Man::new(command.clone())
        .title(program.to_uppercase())
        .section("8")
        .date(DATE)
        .manual("System Administration");

    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(&command).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    page.extend_from_slice(description.as_bytes());
    man.render_options_section(&mut page)?;
    commands(&command, &mut page)?;
    exit_status(&command).to_writer(&mut page)?;
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    Ok(format!("{}{}{sections}", head(&program), tidy(&page)))
}

/// The page's first lines.
fn head(program: &str) -> String {
    format!(
        ".\\\" SPDX-License-Identifier: GPL-2.0\n\
         .\\\" Made by scripts/manual: change userspace/{program}/src/arguments.rs or\n\
         .\\\" userspace/{program}/examples/manual/ instead.\n"
    )
}

/// `page` with one definition of the apostrophe at its top instead of one for each section, one
/// line break where there were several, and no empty lines, which the language does not have.
fn tidy(page: &str) -> String {
    let mut tidy = String::new();
    let mut lines = page.lines().filter(|line| !line.is_empty());
    let definitions: Vec<_> = (0..2).filter_map(|_| lines.next()).collect();
    let rest = lines.filter(|line| !definitions.contains(line));
    let mut lines: Vec<_> = definitions.iter().copied().chain(rest).collect();
    lines.dedup_by(|next, line| next == line && *line == ".br");
    for line in lines {
        tidy.push_str(line);
        tidy.push('\n');
    }
    tidy
}

/// `command` with each option's other spellings in the option's help, where the page shows them.
fn with_aliases(command: Command) -> Command {
    command.mut_args(|option| {
        let aliases = option.get_visible_aliases().unwrap_or_default();
        match (aliases.as_slice(), option.get_help()) {
            ([alias, ..], Some(help)) => {
                let help = format!("{help}. Another spelling is --{alias}.");
                option.help(help)
            }
            _ => option,
        }
    })
}

/// One line for each way to call the program.
fn synopsis(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    for (index, form) in once(command).chain(command.get_subcommands()).enumerate() {
        if index > 0 {
            roff.control("br", []);
        }
        // The first line of a usage message; the other is about subcommands, which follow here.
        let usage = form.clone().render_usage().to_string();
        let usage = usage.lines().next().unwrap_or_default();
        let usage = usage.trim_start_matches("Usage: ");
        let name = form.get_bin_name().unwrap_or_else(|| form.get_name());
        let rest = usage.strip_prefix(name).unwrap_or(usage);
        roff.text([bold(name), roman(rest)]);
    }
    roff
}

/// Each subcommand, with the options that are not described before.
fn commands(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let known = |option: &Arg| {
        command
            .get_arguments()
            .any(|own| own.get_id() == option.get_id() && own.get_long() == option.get_long())
    };
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    roff.to_writer(page)?;
    for subcommand in command.get_subcommands() {
        let mut roff = Roff::new();
        roff.control("SS", [subcommand.get_name()]);
        roff.to_writer(page)?;
        let man = Man::new(subcommand.clone());
        append_without_heading(page, |out| man.render_description_section(out))?;
        if !subcommand.get_arguments().all(known) {
            append_without_heading(page, |out| man.render_options_section(out))?;
        }
    }
    Ok(())
}

/// Appends a section, which stands below a heading already.
fn append_without_heading(
    page: &mut Vec<u8>,
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut section = Vec::new();
    render(&mut section)?;
    let lines = section.split_inclusive(|byte| *byte == b'\n');
    for line in lines.filter(|line| !line.starts_with(b".SH")) {
        page.extend_from_slice(line);
    }
    Ok(())
}

/// The end of the help text, which lists the exit status.
fn exit_status(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    let help = command.get_after_help().map(ToString::to_string);
    let sentences = help.unwrap_or_default();
    roff.text([roman(sentences.trim_start_matches("Exit status: "))]);
    roff
}
