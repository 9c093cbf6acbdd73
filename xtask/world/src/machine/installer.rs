//! `install.sh`, in virtual time and out of the model.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proto::{Exit, Version};

use super::ops::OpRoom;
use crate::life::Life;
use crate::script::{InstallFault, Stage};

/// One installation at work.
#[derive(Debug)]
pub(super) struct Installer {
    pub(super) room: Arc<OpRoom>,
    /// Of the op runner: the installer dies with it.
    pub(super) life: Life,
    pub(super) uid: u32,
    pub(super) target: Version,
    pub(super) fault: InstallFault,
}

impl Installer {
    /// Runs to its end, whatever that is; pending for ever once its op runner is dead.
    pub(super) async fn run(&self, output: &Path) -> Exit {
        for stage in Stage::ALL {
            if let Some(exit) = self.meets(stage, output).await {
                return exit;
            }
            self.life.while_alive(self.does(stage, output)).await;
            if self.life.is_over() {
                std::future::pending::<()>().await;
            }
        }
        let exit = if self.fault == InstallFault::ReturnsOne { 1 } else { 0 };
        Exit::Code(exit)
    }

    /// What goes wrong at a stage, if anything does.
    async fn meets(&self, stage: Stage, output: &Path) -> Option<Exit> {
        match self.fault {
            InstallFault::Aborts(at, exit) if at == stage => {
                self.fault_note("install-aborts", format!("at {stage:?} with {exit}"));
                say(output, "[x] Error: Upgrade aborted.");
                return Some(Exit::Code(exit));
            }
            InstallFault::Hangs(at) if at == stage => {
                self.fault_note("install-hangs", format!("at {stage:?}"));
                std::future::pending::<()>().await;
            }
            InstallFault::RunnerDies(at) if at == stage => {
                self.fault_note("op-runner-killed", format!("at {stage:?}"));
                self.life.end();
                std::future::pending::<()>().await;
            }
            InstallFault::PowerCut(at, back_ms) if at == stage => {
                self.fault_note("power-cut-in-install", format!("at {stage:?}, for {back_ms} ms"));
                self.room.cut_power(Duration::from_millis(back_ms));
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        None
    }

    /// What the installer does at a stage.
    async fn does(&self, stage: Stage, output: &Path) {
        let cluster = self.room.cluster();
        match stage {
            Stage::Checks => {
                say(output, "[.] Checking prerequisites");
                self.room.takes(500, 3000).await;
            }
            Stage::Stop => {
                say(output, "[.] Stopping services");
                cluster.change(|model, _| model.upgrade_mode = true);
                cluster.stop_services(self.uid);
            }
            Stage::Files => {
                self.room.takes(3000, 12_000).await;
                if let Err(error) = cluster.write_version(self.uid, self.target) {
                    self.room.note(format!("the version cannot be written: {error}"));
                }
            }
            Stage::Start => {
                say(output, "[.] Starting services");
                self.room.takes(500, 2000).await;
                if self.fault == InstallFault::ServicesStayDown {
                    self.fault_note("services-stay-down", String::new());
                } else {
                    cluster.start_services(self.uid);
                }
                say(output, "[!] Installation is complete!");
            }
            Stage::Finish => {
                self.room.takes(100, 2000).await;
                cluster.change(|model, _| model.upgrade_mode = false);
                say(output, "[.] Installation complete.");
            }
        }
    }

    fn fault_note(&self, kind: &'static str, what: String) {
        self.room.fault(kind, what);
    }
}

/// Appends a line to the installer's output; output that cannot be written is lost, as it would be.
fn say(output: &Path, line: &str) {
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(output);
    let _lost = opened.and_then(|mut file| writeln!(file, "2026-09-21 00:00:00.000 {line}"));
}
