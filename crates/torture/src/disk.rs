//! A disk that can lose power and run full: the shim of `shim/storage.c` between the program and libc.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::program::Program;

const SOURCE: &str = include_str!("../shim/storage.c");

/// The shim, built, and what it is told by files.
pub struct Disk {
    library: PathBuf,
    files: PathBuf,
    full: PathBuf,
}

impl Disk {
    /// Builds it in `folder`; it will stand for all files that begin with `files`.
    pub fn build(folder: &Path, files: &Path) -> anyhow::Result<Self> {
        let (source, library) = (folder.join("storage.c"), folder.join("storage.so"));
        std::fs::write(&source, SOURCE)?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).arg("-ldl");
        let done = compiler.output().context("cc, the C compiler, cannot be run")?;
        ensure!(done.status.success(), "the shim cannot be built: {}", String::from_utf8_lossy(&done.stderr));
        Ok(Self { library, files: files.to_owned(), full: folder.join("disk-is-full") })
    }

    /// Lets `program` use it from the next start on.
    pub fn under(&self, program: &mut Program) {
        program.set("LD_PRELOAD", &self.library.display().to_string());
        program.set("TORTURE_DISK_FILES", &self.files.display().to_string());
        program.set("TORTURE_DISK_FULL", &self.full.display().to_string());
    }

    /// Power goes at this write or sync after the next start; `seed` decides what survives of what was not synced.
    pub fn lose_power_at(program: &mut Program, operation: u32, seed: u32) {
        program.set("TORTURE_DISK_CRASH_AT", &operation.to_string());
        program.set("TORTURE_DISK_SEED", &seed.max(1).to_string());
    }

    /// Power stays, from the next start on.
    pub fn keep_power(program: &mut Program) {
        program.unset("TORTURE_DISK_CRASH_AT");
    }

    /// No file grows any more.
    pub fn run_full(&self) -> anyhow::Result<()> {
        Ok(std::fs::write(&self.full, "")?)
    }

    /// There is room again.
    pub fn make_room(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(&self.full)?)
    }
}
