//! What happens to machines, to the product and on the network; and the promises that are checked where the effect is.

use proto::StepKind;

use crate::disk::{bit, installing, installs, installs_mut};
use crate::model::{Model, Moved, Violation, broken};
use crate::mutation::Mutation;
use crate::rules::Asked;
use crate::state::{Agent, Doing, Sent, State};
use crate::words::{Message, Order, What};

impl Model {
    /// The op runner uses up the one start and begins: here an installer starts.
    pub(crate) fn begin_install<const N: usize>(
        &self,
        state: &State<N>,
        node: u8,
        hop: u8,
        number: u8,
    ) -> Moved<N> {
        let mut state = *state;
        let order = Order { kind: StepKind::Install, node, hop, number, from: hop, flag: false, join: false };
        let agent = state.agent(node);
        if agent.off || installs(agent, order).launched & bit(number) == 0 {
            return None;
        }
        let files = installs_mut(agent, order);
        files.launched &= !bit(number);
        if files.started & bit(number) != 0 && !self.has(Mutation::SecondStart) {
            return Some(Ok(state));
        }
        files.started |= bit(number);
        // The op runner proves the order again: the run must hold the claim (see `runner/verify.rs`).
        if agent.held.by != 1 {
            installs_mut(agent, order).finished |= bit(number);
            return Some(Ok(state));
        }
        if let Err(violation) = self.may_begin(&state, order) {
            return Some(Err(violation));
        }
        let agent = state.agent(node);
        installs_mut(agent, order).begun |= bit(number);
        agent.begins[usize::from(hop)] += 1;
        agent.op = Some((hop, number));
        state.between = Some(node);
        Some(Ok(state))
    }

    /// Promises P1, P3, P4, P6 and P7, where the effect is.
    fn may_begin<const N: usize>(&self, state: &State<N>, order: Order) -> Result<(), Violation> {
        let (node, hop) = (order.node, order.hop);
        let agent = &state.agents[usize::from(node)];
        let begun = agent.begins[usize::from(hop)];
        if let Some(other) = state.between.filter(|other| *other != node) {
            return broken("P1", format!("node {node} begins while node {other} is not confirmed"));
        }
        if let Some((other, _)) = (0_u8..).zip(state.agents()).find(|(_, agent)| agent.op.is_some()) {
            return broken("P1", format!("node {node} begins while an installer is at work on node {other}"));
        }
        if agent.version != hop {
            return broken(
                "P3",
                format!("node {node} is at place {} and takes hop {}", agent.version, hop + 1),
            );
        }
        if installs(agent, order).begun & bit(order.number) != 0 {
            return broken("P6", format!("attempt {} on node {node} begins twice", order.number));
        }
        if begun > state.retries {
            return broken(
                "P6",
                format!(
                    "installer {} on node {node}, and {} retries were asked for",
                    begun + 1,
                    state.retries
                ),
            );
        }
        if !self.pure.has_in_flight(state.journal, order) {
            return broken(
                "P7",
                format!("an install begins on node {node} that the journal does not have in flight"),
            );
        }
        Ok(())
    }

    /// An installer ends by itself.
    pub(crate) fn installed<const N: usize>(&self, state: &State<N>, node: u8, works: bool) -> Moved<N> {
        let mut state = *state;
        if !works {
            state.budget.failures = state.budget.failures.checked_sub(1)?;
        }
        let agent = state.agent(node);
        let (hop, number) = agent.op.take()?;
        agent.installs[usize::from(hop)].finished |= bit(number);
        if works {
            agent.version = hop + 1;
        }
        Some(Ok(state))
    }

    /// A node loses power. What ran on it is gone; what is on its disk is not.
    pub(crate) fn off<const N: usize>(&self, state: &State<N>, node: u8, worked: bool) -> Moved<N> {
        let mut state = *state;
        state.budget.outages = state.budget.outages.checked_sub(1)?;
        cut(state.agent(node), worked);
        state.agent(node).off = true;
        state.agent(node).ill = false;
        if state.master == node
            && let Some(other) = (0..state.nodes).find(|other| !state.agents[usize::from(*other)].off)
        {
            state.master = other;
        }
        for coordinator in state.coordinators.iter_mut().flatten() {
            if let Doing::Listening(order) = coordinator.doing
                && order.node == node
            {
                coordinator.doing = Doing::Lost(Sent { node, what: What::Execute(order) });
            }
        }
        Some(Ok(state))
    }

    pub(crate) fn on<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        if !state.agent(node).off {
            return None;
        }
        state.agent(node).off = false;
        self.come_back(&mut state, node);
        Some(Ok(state))
    }

    pub(crate) fn ill<const N: usize>(&self, state: &State<N>, node: u8, ill: bool) -> Moved<N> {
        let mut state = *state;
        if ill {
            state.budget.illnesses = state.budget.illnesses.checked_sub(1)?;
        }
        let agent = state.agent(node);
        if agent.ill == ill || agent.off {
            return None;
        }
        agent.ill = ill;
        Some(Ok(state))
    }

    pub(crate) fn move_master<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        state.budget.moves = state.budget.moves.checked_sub(1)?;
        let may = state.master != node && !state.agent(node).off;
        state.master = node;
        may.then_some(Ok(state))
    }

    /// A machine is put up anew, with the same version of the product: the agent remembers nothing.
    pub(crate) fn wipe<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        state.budget.wipes = state.budget.wipes.checked_sub(1)?;
        let agent = state.agent(node);
        cut(agent, false);
        let Agent { version, begins, memory, off, ill, .. } = *agent;
        *agent = Agent { version, begins, memory: memory + 1, off, ill, ..Agent::default() };
        self.come_back(&mut state, node);
        Some(Ok(state))
    }

    /// Another coordinator's run takes a node by the real rule; as the executor, not in the middle of an install.
    pub(crate) fn take_node<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        state.budget.takings = state.budget.takings.checked_sub(1)?;
        let despite = self.has(Mutation::TakenDuringInstall);
        let agent = state.agent(node);
        if agent.off || (installing(agent) && !despite) {
            return None;
        }
        let at_work = agent.op.is_some();
        let epoch = agent.held.highest.checked_add(1)?;
        agent.held = self.rules.ask(agent.held, Asked::TakeOver, epoch).ok()?;
        agent.obeyed = agent.obeyed.max(epoch);
        if at_work {
            return Some(broken("P8", format!("node {node} changes hands in the middle of an install")));
        }
        Some(Ok(state))
    }

    pub(crate) fn give_back<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        let agent = state.agent(node);
        if agent.held.by != 2 || agent.off {
            return None;
        }
        agent.held.by = 0;
        agent.held.epoch = 0;
        Some(Ok(state))
    }

    /// A request is lost; whoever waits for its answer sees the connection break.
    pub(crate) fn lose<const N: usize>(&self, state: &State<N>, message: Message) -> Moved<N> {
        let mut state = *state;
        state.budget.losses = state.budget.losses.checked_sub(1)?;
        if !state.take(message) {
            return None;
        }
        let sent = Sent { node: message.node, what: message.what };
        for coordinator in state.coordinators.iter_mut().flatten() {
            if coordinator.epoch == message.epoch && coordinator.doing == Doing::Waiting(sent) {
                coordinator.doing = Doing::Lost(sent);
            }
        }
        Some(Ok(state))
    }

    /// A request arrives twice.
    pub(crate) fn duplicate<const N: usize>(&self, state: &State<N>, message: Message) -> Moved<N> {
        let mut again = *state;
        again.budget.duplicates = again.budget.duplicates.checked_sub(1)?;
        again.send(message).then_some(())?;
        self.deliver(&again, message, None)
    }
}

/// Ends everything at work on a machine.
fn cut(agent: &mut Agent, worked: bool) {
    if let Some((hop, _)) = agent.op.take()
        && worked
    {
        agent.version = hop + 1;
    }
    agent.running = None;
    for files in &mut agent.installs {
        files.launched = 0;
    }
}
