//! Steps at work on an agent: how they end, the launch of an install, and an agent that comes back.

use proto::StepKind;

use crate::disk::{bit, end_install, installs, installs_mut, slot};
use crate::model::{Model, Moved, broken};
use crate::mutation::Mutation;
use crate::state::{Doing, Running, Sent, State};
use crate::words::{End, Order, Trouble, What};

impl Model {
    /// An exclusive step that is no install ends.
    pub(crate) fn finish<const N: usize>(&self, state: &State<N>, node: u8, spoiled: bool) -> Moved<N> {
        let mut state = *state;
        let all_well = state.all_well();
        let agent = state.agent(node);
        let running =
            agent.running.filter(|running| running.order.kind != StepKind::Install && !agent.off)?;
        let order = running.order;
        let at_target = agent.version == order.hop + 1;
        let end = match order.kind {
            _ if spoiled => End::Failed(Trouble::Lasting),
            StepKind::Check if !all_well => End::Failed(Trouble::Unhealthy),
            StepKind::Confirm if !(all_well && at_target) => End::Failed(Trouble::NotConfirmed),
            _ => End::Completed,
        };
        *agent.slot(order.kind) = slot(order, Some(end));
        agent.running = None;
        if spoiled {
            state.budget.failures = state.budget.failures.checked_sub(1)?;
        }
        if end == End::Completed {
            match order.kind {
                StepKind::Check => state.looked.check = Some((running.by, node)),
                StepKind::Tune => state.tuned = !order.flag,
                _ => {}
            }
        }
        Some(Ok(state))
    }

    /// What must hold just before the effect; then the op runner is launched (see `steps/install.rs`).
    pub(crate) fn launch<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        let is_master = state.master == node;
        let agent = state.agent(node);
        let running =
            agent.running.filter(|running| running.order.kind == StepKind::Install && !running.following)?;
        let order = running.order;
        let unchecked = self.has(Mutation::NoRoleCheck) || self.has(Mutation::UidOrder);
        // Beside an installer that was given up and lives on none is started (see `runner/others.rs`).
        if agent.op.is_some() {
            end_install(agent, order, End::Failed(Trouble::Lasting));
            return Some(Ok(state));
        }
        if agent.version != order.from {
            end_install(agent, order, End::Failed(Trouble::WrongVersion));
            return Some(Ok(state));
        }
        if is_master != order.flag && !unchecked {
            end_install(agent, order, End::Failed(Trouble::WrongRole));
            return Some(Ok(state));
        }
        if is_master != order.flag {
            return Some(broken("P2", format!("node {node} is not in the role in which its turn began")));
        }
        installs_mut(agent, order).launched |= bit(order.number);
        agent.running = Some(Running { following: true, ..running });
        Some(Ok(state))
    }

    /// An agent sees how its op ended.
    pub(crate) fn follow<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        let agent = state.agent(node);
        let running = agent.running.filter(|running| running.following)?;
        let (order, at) = (running.order, bit(running.order.number));
        let files = installs(agent, order);
        let alive = agent.op == Some((order.hop, order.number));
        let end = match (files.finished & at != 0, files.started & at != 0) {
            (true, _) => End::Completed,
            (false, true) if !alive => End::Interrupted,
            (false, _) => return None,
        };
        end_install(agent, order, end);
        Some(Ok(state))
    }

    /// An op runner that has not begun within its time is given up: the one start is used up, so that none can begin.
    pub(crate) fn void<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        let agent = state.agent(node);
        let running = agent.running.filter(|running| running.following)?;
        let (order, at) = (running.order, bit(running.order.number));
        let launched = installs(agent, order).launched & at != 0;
        if installs(agent, order).started & at != 0 {
            return None;
        }
        // While it is launched it is only slow; that is a fault with a budget. Once it is gone this is how it is seen.
        if launched {
            state.budget.failures = state.budget.failures.checked_sub(1)?;
        }
        let agent = state.agent(node);
        if !self.has(Mutation::SlowStartNotVoided) {
            installs_mut(agent, order).started |= at;
        }
        end_install(agent, order, End::Failed(Trouble::NotStarted));
        Some(Ok(state))
    }

    /// An agent is killed and comes back: it goes on with the ops that were started (see `Executor::reattach`).
    pub(crate) fn restart<const N: usize>(&self, state: &State<N>, node: u8) -> Moved<N> {
        let mut state = *state;
        state.budget.restarts = state.budget.restarts.checked_sub(1)?;
        self.come_back(&mut state, node);
        Some(Ok(state))
    }

    pub(crate) fn come_back<const N: usize>(&self, state: &mut State<N>, node: u8) {
        let agent = state.agent(node);
        agent.running = None;
        if self.has(Mutation::ClaimsForgotten) {
            agent.held.highest = 0;
            agent.held.epoch = agent.held.epoch.min(1);
        }
        let going_on = (0..).zip(&agent.installs).find_map(|(hop, files)| {
            let unended = files.started & !files.ended;
            (unended != 0).then(|| (hop, u8::try_from(unended.trailing_zeros()).unwrap_or(u8::MAX)))
        });
        if let Some((hop, number)) = going_on {
            let order =
                Order { kind: StepKind::Install, node, hop, number, from: hop, flag: false, join: true };
            if self.has(Mutation::SecondStart) {
                installs_mut(agent, order).launched |= bit(number);
            }
            agent.running = Some(Running { order, by: agent.held.epoch, following: true });
        }
        for coordinator in state.coordinators.iter_mut().flatten() {
            if let Doing::Listening(order) = coordinator.doing
                && order.node == node
            {
                coordinator.doing = Doing::Lost(Sent { node, what: What::Execute(order) });
            }
        }
    }
}
