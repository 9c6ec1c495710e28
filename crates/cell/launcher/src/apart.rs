//! One layer of the wall by itself, or none: for tests of what each stops, and absent from every other build.
//!
//! The program at the end takes init's place, at the end of init's own journey, with whatever is not given up there.

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use policy::{CellPlan, Template};
use protocol::launcher::Failure;
use sys::namespace::{self, Forked, Kind};

use crate::init::Setup;
use crate::step::Step;
pub use crate::walls::Layer;
use crate::walls::Walls;
use crate::{cell, template};

/// What a program that has this in it can do: a test looks for it where it must not be.
pub const MARK: &str = "walls of a cell, one by one";

/// What becomes of a program behind one layer.
#[derive(Debug)]
pub struct Apart<'a> {
    /// The layer; `None` puts up nothing.
    pub layer: Option<Layer>,
    /// The whole plan of a cell.
    pub plan: &'a CellPlan,
    /// The root, for [`Layer::Root`].
    pub template: &'a Template,
    /// Descriptors of the cgroups, for [`Layer::Cgroup`].
    pub cgroups: &'a [OwnedFd],
}

impl Apart<'_> {
    /// Runs the program there, as init would run, and waits for its end.
    ///
    /// # Panics
    ///
    /// If this process has more than one thread, since it forks.
    pub fn run(&self, program: &mut Command) -> Result<(), Failure> {
        let listener = std::fs::File::open("/dev/null").step("open /dev/null")?.into();
        if self.layer == Some(Layer::Root) {
            // The launcher's own mounts, and the cell's are a copy of them.
            return match namespace::fork_into(&[Kind::Mount]).step("make a mount namespace")? {
                Forked::Child => {
                    let made = template::build(self.template, Vec::new())
                        .and_then(|()| self.make(listener, program));
                    if let Err(failure) = made {
                        eprintln!("{MARK}: failed to {}: error {}", failure.step, failure.errno);
                        std::process::exit(1);
                    }
                    std::process::exit(0)
                }
                Forked::Parent { pidfd, .. } => {
                    sys::outer::reap(&pidfd);
                    Ok(())
                }
            };
        }
        self.make(listener, program)
    }

    fn make(&self, listener: OwnedFd, program: &mut Command) -> Result<(), Failure> {
        let arrived = |setup: Setup| -> Infallible {
            // Init lays them upon what it starts.
            if let Some(rules) = &setup.landlock
                && let Err(error) = rules.restrict()
            {
                eprintln!("{MARK}: failed to lay down the rules about paths: {error}");
                std::process::exit(1);
            }
            drop(setup);
            let error = program.exec();
            eprintln!("{MARK}: failed to run the program: {error}");
            std::process::exit(1)
        };
        let made = cell::make(self.plan, Walls::only(self.layer), listener, self.cgroups, arrived)?;
        sys::outer::reap(&made.pidfd);
        Ok(())
    }
}
