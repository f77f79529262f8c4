// SPDX-License-Identifier: GPL-2.0

//! Prints which page frames of an ELF core a dump level keeps, for tests that compare them: a line
//! for each class with the number of its frames, and one for each run of frames that is kept.

use std::{
    error::Error,
    path::Path, //
};

use dumpfile::{
    elf_core::ElfCore,
    source::DumpFile, //
};
use kernel_memory::{
    filter::{
        Class,
        Filter,
        Level, //
    },
    translation::Translation,
    vmcoreinfo::Vmcoreinfo, //
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(level), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("select_pages LEVEL VMCORE [--exclude-unused-vmemmap]".into());
    };
    let excludes_vmemmap = arguments.next().is_some();
    let level: Level = level.parse()?;
    let core = ElfCore::open(DumpFile::open(Path::new(&path))?)?;
    let text = core.vmcoreinfo().ok_or("the dump has no VMCOREINFO")?;
    let info = Vmcoreinfo::parse(text);
    let translation = Translation::new(&info, core.architecture())?;
    let ram = core.frames(1 << info.page_shift()?);
    let filter = Filter::new(&info, translation, level)?;
    let start = std::time::Instant::now();
    let selection = filter.judge_all(&core, &ram);
    eprintln!("{:?}", start.elapsed());
    for class in Class::ALL {
        println!("{}\t{}", class.name(), selection.counts.of(class));
    }
    let mut kept = selection.kept;
    if excludes_vmemmap {
        kept = kept.without(&filter.unused_vmemmap(&core, &ram, &kept));
    }
    for run in kept.runs() {
        println!("{:#x}\t{:#x}", run.start, run.end);
    }
    Ok(())
}
