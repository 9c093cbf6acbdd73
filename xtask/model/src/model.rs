//! The model: every step that is possible in a state, and what becomes of it.

use proto::{Failure, StepKind};
use serde::{Deserialize, Serialize};

use crate::case::{Case, first_master};
use crate::mutation::Mutation;
use crate::pure::{Keep, Key, Pure};
use crate::rules::Rules;
use crate::state::{Agent, Budget, Coordinator, Doing, State};
use crate::words::{Ask, Message};

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// A coordinator does what it does next; of steps that go side by side it sends this one.
    Drive(u8, u8),
    /// A coordinator gives up waiting.
    GiveUp(u8),
    /// A coordinator takes what was asked of its run.
    Take(u8),
    /// A coordinator's watch looks at the cluster.
    Watch(u8),
    /// A coordinator dies; `true` if the request it had just sent dies with it.
    Crash(u8, bool),
    /// A coordinator's connection breaks, and what it has sent stays on its way.
    Break(u8),
    /// A person starts a coordinator.
    Start(u8, Ask),
    /// A person lets another coordinator take over from one that is alive.
    Seize(u8),
    /// A person asks something of a run that is being driven.
    Ask(Ask),
    /// A request arrives.
    Deliver(Message),
    /// A request arrives, and will arrive again.
    Duplicate(Message),
    /// A request arrives, and the step fails; `true` if a person must put it right.
    Spoil(Message, bool),
    /// A request is lost.
    Lose(Message),
    /// An exclusive step ends, well if it can; `true` makes it fail.
    Finish(u8, bool),
    /// An agent checks what must hold before an install, and launches the op runner.
    Launch(u8),
    /// An op runner uses up the start of its step and begins: node, hop, attempt.
    Begin(u8, u8, u8),
    /// An installer ends; `true` if it has done its work.
    Installed(u8, bool),
    /// An agent sees how an op ended.
    Follow(u8),
    /// An agent gives up an op runner that has not begun.
    Void(u8),
    /// An agent is killed and comes back.
    Restart(u8),
    /// A node loses power; `true` if an installer at work had done its work.
    Off(u8, bool),
    /// A node comes back.
    On(u8),
    /// A node's product falls ill.
    Ill(u8),
    /// It is well again.
    Well(u8),
    /// The master role moves.
    Master(u8),
    /// An agent loses its state directory.
    Wipe(u8),
    /// Another coordinator's run takes a node, on a person's word.
    TakeNode(u8),
    /// The other run gives it back.
    GiveBack(u8),
}

impl Step {
    /// Whether nothing but a fault makes it happen.
    pub fn is_fault(self) -> bool {
        match self {
            Self::Crash(..) | Self::Break(_) | Self::Seize(_) | Self::Duplicate(_) | Self::Spoil(..) => true,
            Self::Lose(_) | Self::Finish(_, true) | Self::Installed(_, false) | Self::Void(_) => true,
            Self::Restart(_)
            | Self::Off(..)
            | Self::Ill(_)
            | Self::Master(_)
            | Self::Wipe(_)
            | Self::TakeNode(_) => true,
            Self::Ask(ask) | Self::Start(_, ask) => matches!(ask, Ask::Pause | Ask::Abort),
            Self::Drive(..) | Self::GiveUp(_) | Self::Take(_) | Self::Watch(_) | Self::Deliver(_) => false,
            Self::Finish(_, false) | Self::Launch(_) | Self::Begin(..) | Self::Installed(_, true) => false,
            Self::Follow(_) | Self::On(_) | Self::Well(_) | Self::GiveBack(_) => false,
        }
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub promise: &'static str,
    /// How.
    pub what: String,
}

/// The state after a step, or the promise that the step broke; `None` if the step is not possible.
pub type Moved<const N: usize> = Option<Result<State<N>, Violation>>;

pub(crate) fn broken<T>(promise: &'static str, what: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { promise, what: what.into() })
}

/// The model of one case.
#[derive(Debug)]
pub struct Model {
    /// The coordinator's pure functions.
    pub pure: Pure,
    /// The agent's claim rules.
    pub rules: Rules,
    /// A deliberate bug, if one is to be found.
    pub mutation: Option<Mutation>,
    first: Key,
}

impl Model {
    /// A model of a case.
    ///
    /// # Errors
    /// The case cannot begin.
    pub fn new(case: Case, keep: Keep, mutation: Option<Mutation>) -> Result<Self, Failure> {
        let (pure, first) = Pure::new(case, keep)?;
        Ok(Self { pure, rules: Rules::default(), mutation, first })
    }

    /// Whether this bug is in.
    pub fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Nothing has happened: a person has asked for the plan, and its coordinator begins.
    ///
    /// # Panics
    /// The case has more nodes than a state.
    pub fn begin<const N: usize>(&self, budget: Budget) -> State<N> {
        let nodes = self.pure.case.nodes;
        assert!(usize::from(nodes) <= N, "{nodes} nodes do not fit");
        let driver = Coordinator { run: self.first, epoch: 1, doing: Doing::Opening(Ask::Resume) };
        State {
            journal: self.first,
            epoch: 1,
            asked: None,
            coordinators: [Some(driver), None],
            net: Default::default(),
            agents: [Agent::default(); N],
            nodes,
            master: first_master(nodes),
            tuned: false,
            between: None,
            looked: Default::default(),
            sent: None,
            retries: 0,
            budget,
        }
    }

    /// Every step that may be possible in a state.
    pub fn steps<const N: usize>(&self, state: &State<N>, into: &mut Vec<Step>) {
        into.clear();
        self.steps_of_coordinators(state, into);
        self.steps_of_people(state, into);
        for message in state.messages() {
            into.push(Step::Deliver(message));
            into.extend((state.budget.duplicates > 0).then_some(Step::Duplicate(message)));
            into.extend((state.budget.losses > 0).then_some(Step::Lose(message)));
            if state.budget.failures > 0 {
                into.extend([Step::Spoil(message, false), Step::Spoil(message, true)]);
            }
        }
        for node in 0..state.nodes {
            self.steps_of_agent(state, node, into);
            self.steps_of_node(state, node, into);
        }
    }

    fn steps_of_coordinators<const N: usize>(&self, state: &State<N>, into: &mut Vec<Step>) {
        for (slot, coordinator) in (0..).zip(&state.coordinators) {
            let Some(coordinator) = coordinator else { continue };
            into.extend([Step::Drive(slot, 0), Step::GiveUp(slot), Step::Watch(slot)]);
            into.extend(state.asked.map(|_| Step::Take(slot)));
            if state.budget.crashes > 0 {
                into.push(Step::Crash(slot, false));
                into.extend(
                    matches!(coordinator.doing, Doing::Waiting(_)).then_some(Step::Crash(slot, true)),
                );
            }
            into.extend((state.budget.losses > 0).then_some(Step::Break(slot)));
        }
    }

    fn steps_of_people<const N: usize>(&self, state: &State<N>, into: &mut Vec<Step>) {
        let free = state.coordinators.iter().position(Option::is_none);
        let Some(free) = free.and_then(|free| u8::try_from(free).ok()) else { return };
        let alone = state.coordinators.iter().all(Option::is_none);
        if !alone && state.budget.seizures > 0 {
            into.push(Step::Seize(free));
        }
        if state.budget.asks == 0 {
            return;
        }
        if alone {
            into.extend([Ask::Resume, Ask::Retry, Ask::Abort].map(|ask| Step::Start(free, ask)));
        } else if state.asked.is_none() {
            into.extend([Ask::Pause, Ask::Abort].map(Step::Ask));
        }
    }

    fn steps_of_agent<const N: usize>(&self, state: &State<N>, node: u8, into: &mut Vec<Step>) {
        let agent = &state.agents[usize::from(node)];
        if let Some(running) = &agent.running {
            match (running.order.kind, running.following) {
                (StepKind::Install, false) => into.push(Step::Launch(node)),
                (StepKind::Install, true) => into.extend([Step::Follow(node), Step::Void(node)]),
                _ => {
                    into.push(Step::Finish(node, false));
                    into.extend((state.budget.failures > 0).then_some(Step::Finish(node, true)));
                }
            }
        }
        for (hop, installs) in (0..).zip(&agent.installs) {
            let mut waiting = installs.launched;
            while waiting != 0 {
                let attempt = waiting.trailing_zeros();
                waiting &= waiting - 1;
                into.extend(u8::try_from(attempt).ok().map(|attempt| Step::Begin(node, hop, attempt)));
            }
        }
        if agent.op.is_some() {
            into.push(Step::Installed(node, true));
            into.extend((state.budget.failures > 0).then_some(Step::Installed(node, false)));
        }
    }

    fn steps_of_node<const N: usize>(&self, state: &State<N>, node: u8, into: &mut Vec<Step>) {
        let agent = &state.agents[usize::from(node)];
        let budget = &state.budget;
        let up = !agent.off;
        into.extend(agent.off.then_some(Step::On(node)));
        into.extend((agent.ill && up).then_some(Step::Well(node)));
        into.extend((agent.held.by == 2 && up).then_some(Step::GiveBack(node)));
        into.extend((budget.restarts > 0 && up).then_some(Step::Restart(node)));
        into.extend((budget.outages > 0 && up).then_some(Step::Off(node, false)));
        into.extend((budget.outages > 0 && up && agent.op.is_some()).then_some(Step::Off(node, true)));
        into.extend((budget.illnesses > 0 && up && !agent.ill).then_some(Step::Ill(node)));
        into.extend((budget.moves > 0 && up && state.master != node).then_some(Step::Master(node)));
        into.extend((budget.wipes > 0 && up).then_some(Step::Wipe(node)));
        into.extend((budget.takings > 0 && up && agent.held.by != 2).then_some(Step::TakeNode(node)));
    }

    /// What becomes of a step.
    pub fn apply<const N: usize>(&self, state: &State<N>, step: Step) -> Moved<N> {
        match step {
            Step::Drive(slot, which) => self.drive(state, slot, which),
            Step::GiveUp(slot) => self.give_up(state, slot),
            Step::Take(slot) => self.take_request(state, slot),
            Step::Watch(slot) => self.watch(state, slot),
            Step::Crash(slot, with_request) => self.crash(state, slot, with_request),
            Step::Break(slot) => self.lose_connection(state, slot),
            Step::Start(slot, ask) => self.start(state, slot, ask),
            Step::Seize(slot) => self.seize(state, slot),
            Step::Ask(ask) => self.ask(state, ask),
            Step::Deliver(message) => self.deliver(state, message, None),
            Step::Duplicate(message) => self.duplicate(state, message),
            Step::Spoil(message, lasting) => self.spoil(state, message, lasting),
            Step::Lose(message) => self.lose(state, message),
            Step::Finish(node, spoiled) => self.finish(state, node, spoiled),
            Step::Launch(node) => self.launch(state, node),
            Step::Begin(node, hop, attempt) => self.begin_install(state, node, hop, attempt),
            Step::Installed(node, works) => self.installed(state, node, works),
            Step::Follow(node) => self.follow(state, node),
            Step::Void(node) => self.void(state, node),
            Step::Restart(node) => self.restart(state, node),
            Step::Off(node, worked) => self.off(state, node, worked),
            Step::On(node) => self.on(state, node),
            Step::Ill(node) => self.ill(state, node, true),
            Step::Well(node) => self.ill(state, node, false),
            Step::Master(node) => self.move_master(state, node),
            Step::Wipe(node) => self.wipe(state, node),
            Step::TakeNode(node) => self.take_node(state, node),
            Step::GiveBack(node) => self.give_back(state, node),
        }
    }
}
