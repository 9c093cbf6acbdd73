//! Calls that hang until a fault is taken back, or until whoever called is gone.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::Engine;
use crate::fault::{RladminFault, RlcheckLie};
use crate::model::{Model, Node};
use crate::wire::Tool;

impl Engine {
    /// Waits for as long as a tool is to hang on a node; false if its caller is gone meanwhile.
    pub(super) async fn hang(&self, tool: Tool, uid: u32, caller: &mut (impl AsyncBufRead + Unpin)) -> bool {
        let hangs = |model: &Model| model.nodes.get(&uid).is_some_and(|node| hangs(node, tool));
        if !self.read(hangs) {
            return true;
        }
        let _counted = Counted::new(self, uid);
        tokio::select! {
            () = self.until(|model| !hangs(model)) => true,
            // It says nothing more: what can be read is the end of the connection.
            _ = caller.fill_buf() => false,
        }
    }
}

fn hangs(node: &Node, tool: Tool) -> bool {
    match tool {
        Tool::Rladmin => node.rladmin == Some(RladminFault::Hangs),
        Tool::Rlcheck => node.rlcheck == Some(RlcheckLie::Hangs),
        Tool::Supervisorctl => false,
    }
}

/// One hanging call in the model, for as long as it lives.
struct Counted<'a> {
    engine: &'a Engine,
    uid: u32,
}

impl<'a> Counted<'a> {
    fn new(engine: &'a Engine, uid: u32) -> Self {
        engine.change(|model, _| model.nodes.get_mut(&uid).map(|node| node.hanging += 1));
        Self { engine, uid }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.engine.change(|model, _| {
            model.nodes.get_mut(&self.uid).map(|node| node.hanging = node.hanging.saturating_sub(1))
        });
    }
}
