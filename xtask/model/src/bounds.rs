//! How far the explorations go: what may go wrong in each, and what each deliberate bug needs to be found.

use crate::mutation::Mutation;
use crate::state::Budget;

/// One exploration.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What it is about.
    pub name: &'static str,
    /// How many nodes.
    pub nodes: u8,
    /// How many hops.
    pub hops: usize,
    /// Whether a setting is changed for the run.
    pub tuned: bool,
    /// What may happen.
    pub budget: Budget,
}

const NOTHING: Budget = Budget {
    crashes: 0,
    losses: 0,
    duplicates: 0,
    moves: 0,
    failures: 0,
    outages: 0,
    illnesses: 0,
    restarts: 0,
    seizures: 0,
    asks: 0,
    wipes: 0,
    takings: 0,
};

const fn three(name: &'static str, hops: usize, budget: Budget) -> Bounds {
    Bounds { name, nodes: 3, hops, tuned: false, budget }
}

/// A version of it for every commit: seconds.
pub const BOUNDED: &[Bounds] = &[
    three("crash and loss", 1, Budget { crashes: 1, losses: 1, asks: 1, ..NOTHING }),
    three("duplicate and move", 2, Budget { duplicates: 1, moves: 1, asks: 1, ..NOTHING }),
    three("outage", 1, Budget { outages: 1, asks: 1, ..NOTHING }),
    three("illness and failure", 1, Budget { illnesses: 1, failures: 1, asks: 1, ..NOTHING }),
    three("restart and loss", 1, Budget { restarts: 1, losses: 1, asks: 1, ..NOTHING }),
    three("second coordinator", 1, Budget { seizures: 1, losses: 1, ..NOTHING }),
    three("lost memory", 1, Budget { wipes: 1, asks: 1, ..NOTHING }),
    three("taken away", 1, Budget { takings: 1, asks: 1, ..NOTHING }),
    Bounds {
        name: "a setting",
        nodes: 2,
        hops: 1,
        tuned: true,
        budget: Budget { crashes: 1, losses: 1, failures: 1, asks: 1, ..NOTHING },
    },
];

/// Where a bug is looked for.
pub fn where_to_look(mutation: Mutation) -> Bounds {
    let asks = 1;
    let (hops, budget) = match mutation {
        Mutation::SkipGate | Mutation::ErrorPasses => (1, Budget { illnesses: 1, asks, ..NOTHING }),
        Mutation::StaleLook | Mutation::BreachUnwritten => (1, Budget { illnesses: 1, asks, ..NOTHING }),
        Mutation::UidOrder | Mutation::NoCheck | Mutation::EffectBeforeIntent => (1, NOTHING),
        Mutation::MasterReadOnce => (1, Budget { moves: 1, ..NOTHING }),
        Mutation::NoRoleCheck => (1, Budget { moves: 1, ..NOTHING }),
        Mutation::EpochIgnoredByAgent => (1, Budget { crashes: 1, asks, ..NOTHING }),
        Mutation::EpochIgnoredByStore => (1, Budget { seizures: 1, ..NOTHING }),
        Mutation::ClaimsForgotten => (1, Budget { crashes: 1, restarts: 1, asks, ..NOTHING }),
        Mutation::InstallResent => (1, Budget { losses: 1, illnesses: 1, ..NOTHING }),
        Mutation::SilenceIsNever => (1, Budget { losses: 1, ..NOTHING }),
        Mutation::JoinStarts => (1, Budget { crashes: 1, asks, ..NOTHING }),
        Mutation::SecondStart => (1, Budget { restarts: 1, ..NOTHING }),
        Mutation::SlowStartNotVoided => (1, Budget { failures: 1, ..NOTHING }),
        Mutation::RejoinForgotten => (1, Budget { crashes: 1, asks, ..NOTHING }),
        Mutation::ResumeInstallsAgain => (1, Budget { failures: 1, asks, ..NOTHING }),
        Mutation::RetryKeepsId => (1, Budget { failures: 1, asks, ..NOTHING }),
        Mutation::ConfirmSkipped => (1, Budget { failures: 1, ..NOTHING }),
        Mutation::WitnessAlone => (1, Budget { illnesses: 1, ..NOTHING }),
        Mutation::TakenDuringInstall => (1, Budget { takings: 1, ..NOTHING }),
        Mutation::DoneWhileTuned | Mutation::DoneWithoutRelease => (1, NOTHING),
    };
    let tuned = mutation == Mutation::DoneWhileTuned;
    Bounds { name: mutation.text(), nodes: 3, hops, tuned, budget }
}

/// All of it: more than ten million states. No more than two or three kinds of fault meet in one exploration, so that
/// each is finite within minutes; the random histories let all of them meet.
pub const FULL: &[Bounds] = &[
    three("crash, loss, duplicate", 2, Budget { crashes: 1, losses: 1, duplicates: 1, asks: 1, ..NOTHING }),
    three("two crashes", 2, Budget { crashes: 2, asks: 2, ..NOTHING }),
    three("two losses", 2, Budget { losses: 2, asks: 1, ..NOTHING }),
    three("crash, loss, move", 1, Budget { crashes: 1, losses: 1, moves: 1, asks: 1, ..NOTHING }),
    three("second coordinator, loss", 2, Budget { seizures: 1, losses: 1, asks: 1, ..NOTHING }),
    three("second coordinator, move", 2, Budget { seizures: 1, moves: 1, asks: 1, ..NOTHING }),
    three("outage, loss", 1, Budget { outages: 1, losses: 1, asks: 1, ..NOTHING }),
    three("outage, crash", 1, Budget { outages: 1, crashes: 1, asks: 1, ..NOTHING }),
    three("illness, move", 2, Budget { illnesses: 1, moves: 1, asks: 1, ..NOTHING }),
    three("illness, crash", 1, Budget { illnesses: 1, crashes: 1, asks: 2, ..NOTHING }),
    three(
        "restart, loss, duplicate",
        1,
        Budget { restarts: 1, losses: 1, duplicates: 1, asks: 1, ..NOTHING },
    ),
    three("failure, crash", 1, Budget { failures: 1, crashes: 1, asks: 2, ..NOTHING }),
    three("lost memory, crash", 1, Budget { wipes: 1, crashes: 1, asks: 2, ..NOTHING }),
    three("taken away, crash, loss", 1, Budget { takings: 1, crashes: 1, losses: 1, asks: 1, ..NOTHING }),
    Bounds {
        name: "a setting, crash, loss, failure",
        nodes: 2,
        hops: 1,
        tuned: true,
        budget: Budget { crashes: 1, losses: 1, failures: 1, asks: 2, ..NOTHING },
    },
];
