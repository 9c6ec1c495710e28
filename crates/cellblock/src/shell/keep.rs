//! The files of a shell's own session: in its workspace, before and after.

use std::time::Duration;

use session::workspace::{LeftOut, Saved, View, Workspace, WorkspaceName};
use session::{Principal, Session, WorkspaceOptions};

use crate::config::Config;
use crate::place::{Places, told};
use crate::printer::{Printer, bytes, chain, name};
use crate::store;

/// Saving that takes longer is told.
const TOLD: Duration = Duration::from_secs(1);
/// The most files that are listed.
const LISTED: usize = 20;

/// The workspace.
pub(crate) struct Files {
    workspace: Workspace,
    config: Config,
    places: Places,
}

impl Files {
    /// The workspace of this name, of whoever uses this machine.
    pub(crate) fn new(name: &WorkspaceName, config: &Config, places: &Places) -> anyhow::Result<Files> {
        let store = store::open(config, places)?;
        let workspace = store.workspace(&Principal::local().to_string(), name);
        Ok(Files { workspace, config: config.clone(), places: places.clone() })
    }

    /// As a session is opened with it.
    pub(crate) fn options(&self) -> WorkspaceOptions {
        WorkspaceOptions { workspace: self.workspace.clone(), view: View::Flat }
    }

    /// Saves what changed, and says where. The session's end saves what changes from now on.
    pub(crate) async fn keep(&self, session: &Session, printer: Printer) {
        let mut saving = std::pin::pin!(session.push(Vec::new()));
        let saved = tokio::select! {
            saved = &mut saving => saved,
            () = tokio::time::sleep(TOLD) => {
                printer.note("saving what changed");
                saving.await
            }
        };
        match saved {
            Ok(saved) => self.tell(&saved, printer),
            // Its end has saved what there was.
            Err(session::Error::Ended) => {}
            Err(error) => printer.error(format_args!("failed to {}", chain(&error))),
        }
    }

    fn tell(&self, saved: &Saved, printer: Printer) {
        let written: Vec<_> = saved.files.iter().filter(|file| file.written).collect();
        if !written.is_empty() {
            let workspace = self.workspace.name();
            let directory = store::directory(&self.config, &self.places, &Principal::local(), workspace);
            let place = directory.map_or_else(String::new, |directory| format!(", {}", told(&directory)));
            printer.note(format_args!("saved in the workspace `{}`{place}:", workspace.as_str()));
        }
        for file in written.iter().take(LISTED) {
            let path = name(&file.local.display().to_string());
            printer.plain(format_args!("  {path}  {}", bytes(file.stored.size)));
        }
        if written.len() > LISTED {
            printer.plain(format_args!(
                "  … and {} more, {} files in all",
                written.len() - LISTED,
                written.len()
            ));
        }
        let (failed, left): (Vec<&LeftOut>, Vec<&LeftOut>) =
            saved.left_out.iter().partition(|left| left.failed);
        // The session's end tries these again, and says where they are if they cannot be saved then.
        for failed in failed.iter().take(LISTED) {
            printer.error(format_args!("{}", why(failed)));
        }
        for left in left.iter().take(LISTED) {
            printer.note(why(left));
        }
        let more = failed.len().saturating_sub(LISTED) + left.len().saturating_sub(LISTED);
        if more > 0 {
            printer.warning(format_args!("{more} more were not saved"));
        }
    }
}

fn why(left: &LeftOut) -> String {
    format!("`{}` was not saved: {}", name(&left.local.display().to_string()), left.why)
}
