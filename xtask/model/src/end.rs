//! Every run can end (promise P12): faults stop, the world heals, and a person does what the tool says.

use crate::model::{Model, Step, Violation, broken};
use crate::state::{Budget, State};
use crate::words::{Ask, Stands};

/// How often a person tries before he gives the run up, and how often before that counts as no end.
const TRIES: u8 = 12;

impl Model {
    /// Whether the run of a state is over.
    pub fn is_over<const N: usize>(&self, state: &State<N>) -> bool {
        matches!(self.pure.stands(state.journal), Stands::Done | Stands::GivenUp)
    }

    /// Goes on from a state without faults until the run is over, and says how many steps that took.
    ///
    /// # Errors
    /// A promise is broken on the way, or the run does not end.
    pub fn complete<const N: usize>(&self, state: &State<N>) -> Result<usize, Violation> {
        let mut state = State { budget: Budget { asks: u8::MAX, ..Budget::default() }, ..*state };
        let (mut possible, mut tries, mut resumed) = (Vec::new(), 0, false);
        for steps in 0..usize::from(state.nodes) * 2_000 {
            if self.is_over(&state) {
                return Ok(steps);
            }
            self.steps(&state, &mut possible);
            possible.sort_by_key(|step| urgency(*step));
            let moved = possible
                .iter()
                .filter(|step| urgency(**step) < NEVER)
                .find_map(|step| self.apply(&state, *step));
            if let Some(moved) = moved {
                state = moved?;
                continue;
            }
            tries += 1;
            let ask = self.what_a_person_does(&state, tries, &mut resumed);
            let Some(moved) = self.apply(&state, Step::Start(0, ask)) else { break };
            state = moved?;
        }
        let run = self.pure.run(state.journal);
        broken("P12", format!("the run does not end: {:?} {:?}", self.pure.due(state.journal, 0), run.phase))
    }

    /// What the tool says in every state: resume; if that did not help, retry; at last, abort.
    fn what_a_person_does<const N: usize>(&self, state: &State<N>, tries: u8, resumed: &mut bool) -> Ask {
        if tries > TRIES {
            return Ask::Abort;
        }
        *resumed = !(*resumed && self.possible(state, Ask::Retry));
        if *resumed { Ask::Resume } else { Ask::Retry }
    }
}

const NEVER: u8 = u8::MAX;

/// What goes first when nothing goes wrong.
fn urgency(step: Step) -> u8 {
    match step {
        Step::On(_) | Step::Well(_) | Step::GiveBack(_) => 0,
        Step::Launch(_)
        | Step::Begin(..)
        | Step::Installed(_, true)
        | Step::Follow(_)
        | Step::Finish(_, false) => 1,
        Step::Deliver(_) => 2,
        Step::Drive(..) => 3,
        Step::Take(_) => 4,
        Step::GiveUp(_) => 5,
        _ => NEVER,
    }
}
