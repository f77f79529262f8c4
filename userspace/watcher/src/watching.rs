// SPDX-License-Identifier: GPL-2.0

//! The process that watches: it waits until the initrd's service has started, reads the dump, and ends the
//! machine.

use std::{
    env,
    fs,
    hint::black_box,
    io::{
        self,
        BufRead, //
    },
    os::fd::{
        AsFd,
        OwnedFd, //
    },
    thread,
    time::Duration, //
};

use nix::{
    mount::{
        mount,
        MsFlags, //
    },
    poll::{
        poll,
        PollFd,
        PollFlags,
        PollTimeout, //
    },
    sched::{
        unshare,
        CloneFlags, //
    },
    sys::reboot::{
        reboot,
        RebootMode, //
    },
    unistd::setsid, //
};
use watcher::{
    account::{
        Account,
        Stage,
        Token,
        LEN,
        PAGE_LEN, //
    },
    DIRECTORY,
    PROC, //
};

use crate::{
    parameters::Parameters,
    processes::{
        killed,
        Process,
        VMCORE, //
    },
    reading,
    rest::Rest,
    system_calls, //
};

/// The time between two looks, in milliseconds.
const LOOK_MS: u16 = 200;

/// Watches; returns only if there is nothing to watch.
pub fn watch() -> Result<(), String> {
    let mut line = String::new();
    let from_init = io::stdin().lock().read_line(&mut line);
    from_init.map_err(|error| format!("process 1 says nothing: {error}"))?;
    let requests = line.trim().parse().ok().filter(|number| *number >= 0);
    let requests = requests.and_then(|number| system_calls::file_of_init(number).ok());

    see_processes()?;
    let command_line = fs::read_to_string("cmdline").map_err(|error| error.to_string())?;
    let parameters = Parameters::read(&command_line)?;
    let mut accounts = Accounts::new(parameters.token);
    accounts.write(Stage::Started, 0, "nothing of the initrd was seen");
    println!("{}", parameters.init);

    let watch = Watch {
        parameters,
        requests,
        rest: Rest::default(),
        service_ran: false,
        opener: None,
    };
    match watch.follow(&mut accounts) {
        Ok((seen, read)) => accounts.write(Stage::Read, read, &seen),
        Err(sentence) => accounts.write(Stage::Failed, 0, &sentence),
    }
    match reboot(RebootMode::RB_AUTOBOOT) {
        Ok(never) => match never {},
        Err(errno) => Err(format!("the machine cannot be ended: {}", errno.desc())),
    }
}

/// Makes a view of /proc that is nobody else's the working directory. It stays there whatever the initrd does
/// with its own mounts and files.
fn see_processes() -> Result<(), String> {
    // Signals of the initrd's terminal are not for us. We are no leader of a group, so this works.
    let _: Result<_, _> = setsid();
    unshare(CloneFlags::CLONE_NEWNS)
        .map_err(|errno| format!("it cannot have mounts of its own: {}", errno.desc()))?;
    let place = format!("/{DIRECTORY}/{PROC}");
    let flags = MsFlags::empty();
    mount(Some("proc"), &*place, Some("proc"), flags, None::<&str>)
        .map_err(|errno| format!("it cannot mount proc: {}", errno.desc()))?;
    env::set_current_dir(place).map_err(|error| error.to_string())?;
    // Whom the kernel kills for want of memory is one of the initrd's.
    fs::write("self/oom_score_adj", "-1000").map_err(|error| error.to_string())
}

struct Watch {
    parameters: Parameters,
    /// Readable once the initrd asks to end the machine, where the kernel can tell.
    requests: Option<OwnedFd>,
    rest: Rest,
    /// Whether the program that has to run was seen.
    service_ran: bool,
    /// The program that was seen with the dump open.
    opener: Option<String>,
}

impl Watch {
    /// Waits for the service and reads the dump. Returns what was seen, and how many bytes were read.
    fn follow(mut self, accounts: &mut Accounts) -> Result<(String, u64), String> {
        let seen = loop {
            if let Some(seen) = self.look()? {
                break seen;
            }
            if self.ending_is_asked_for()? {
                break "the initrd asked to end the machine".into();
            }
        };
        none_killed()?;
        if let Some(service) = self.parameters.service.filter(|_| !self.service_ran) {
            return Err(format!("{seen}, and no program {service} had run"));
        }
        accounts.write(Stage::Serving, 0, &seen);
        let len = fs::metadata(VMCORE).map_err(|_| {
            format!("{seen}, and there was no /proc/vmcore: the kernel has no PROC_VMCORE, or found no dump")
        })?;
        let read = reading::in_other_process(self.parameters.tool_len);
        none_killed()?;
        let (read, len) = (read?, len.len());
        if read < len {
            return Err(format!(
                "{seen}, and {read} of {len} bytes of /proc/vmcore were read"
            ));
        }
        Ok((seen, read))
    }

    /// Looks at the programs. Says why the service has started, once it has.
    fn look(&mut self) -> Result<Option<String>, String> {
        none_killed()?;
        let dump = fs::metadata(VMCORE).ok();
        let processes = Process::all().map_err(|error| error.to_string())?;
        let mut open = false;
        for process in processes {
            if let Some(name) = &self.parameters.service {
                self.service_ran |= process.is_called(name);
            }
            let Some(dump) = &dump else {
                continue;
            };
            if let Some(position) = process.position_in(dump) {
                self.opener = Some(process.name());
                open |= position < dump.len();
            }
        }
        let stat = fs::read_to_string("stat").map_err(|error| error.to_string())?;
        let rests = self.rest.has_come(&stat);
        let service_ran = self.parameters.service.is_none() || self.service_ran;
        Ok(match &self.opener {
            Some(name) if !open && service_ran => Some(format!("{name} had read /proc/vmcore")),
            Some(name) if rests => Some(format!("{name} had opened /proc/vmcore")),
            _ if rests => Some("the initrd's programs had come to rest".into()),
            _ => None,
        })
    }

    /// Waits for the next look, or less long if the initrd asks to end the machine.
    fn ending_is_asked_for(&self) -> Result<bool, String> {
        match &self.requests {
            None => {
                thread::sleep(Duration::from_millis(LOOK_MS.into()));
                Ok(false)
            }
            Some(file) => {
                let mut files = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
                let ready = poll(&mut files, PollTimeout::from(LOOK_MS));
                let ready = ready.map_err(|errno| errno.desc().to_owned())?;
                Ok(ready > 0)
            }
        }
    }
}

/// Fails if the kernel has killed a program for want of memory.
fn none_killed() -> Result<(), String> {
    match killed() {
        0 => Ok(()),
        count => Err(format!(
            "the kernel killed programs for want of memory: {count}"
        )),
    }
}

/// A page that accounts are written to.
#[repr(align(4096))]
struct Page([u8; PAGE_LEN]);

/// The pages of accounts.
struct Accounts {
    token: Token,
    pages: Box<[Page; 2]>,
    sequence: u32,
}

impl Accounts {
    fn new(token: Token) -> Self {
        Self {
            token,
            pages: Box::new([const { Page([0; PAGE_LEN]) }; 2]),
            sequence: 0,
        }
    }

    /// Writes an account over the last but one.
    fn write(&mut self, stage: Stage, read_len: u64, sentence: &str) {
        self.sequence += 1;
        let account = Account {
            sequence: self.sequence,
            stage,
            read_len,
            sentence: sentence.into(),
        };
        let page = &mut self.pages[self.sequence as usize % 2];
        page.0[..LEN].copy_from_slice(&account.encode(&self.token));
        // Nobody reads it but the host.
        black_box(&mut *self.pages);
    }
}
