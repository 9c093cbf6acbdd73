//! Deliberate bugs, put between the real code and the model: each must be found.

use serde::{Deserialize, Serialize};

macro_rules! mutations {
    ($($(#[doc = $doc:literal])* $name:ident => $text:literal,)*) => {
        /// A deliberate bug. Where a second line of defence would hide it, the mutation takes that away too, and says so.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Mutation {
            $($(#[doc = $doc])* $name,)*
        }

        impl Mutation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What is wrong, for people.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

mutations! {
    /// The gate is not asked.
    SkipGate => "the gate is skipped: whoever is due goes, whatever the cluster is like",
    /// An agent that does not answer, or is not well, counts as well.
    ErrorPasses => "an error counts as a pass at the gate",
    /// The gate's look is from before a breach.
    StaleLook => "the gate passes on a look from before the last breach",
    /// The master is not looked for.
    UidOrder => "the order is by uid only; the role check on the node is off too",
    /// The master is read from the plan.
    MasterReadOnce => "the master is read once, when the plan is made",
    /// The agent does not look at its node's role.
    NoRoleCheck => "the agent does not see that the role moved since the gate",
    /// The check before the install is not run; its end is written all the same.
    NoCheck => "the install starts without the node's own check (whose end is written as if it had run)",
    /// What the watch sees is not written.
    BreachUnwritten => "the watch's breach is not written into the journal",
    /// The agent obeys any epoch.
    EpochIgnoredByAgent => "the agent ignores the epoch",
    /// The store takes records of any epoch.
    EpochIgnoredByStore => "the store ignores the epoch of an append",
    /// The claim and its epoch are not on the disk.
    ClaimsForgotten => "claims and epochs are not kept over a restart of the agent",
    /// After a lost connection the install is sent again, not asked for.
    InstallResent => "an install is sent again, not joined, after a lost connection",
    /// A lost connection counts as an install that never started.
    SilenceIsNever => "never-started is concluded from silence",
    /// The agent begins what it is only asked about.
    JoinStarts => "the agent begins an install that is only asked for",
    /// The one start is not used up.
    SecondStart => "started.json is ignored: an agent that comes back launches again",
    /// An op runner that was slow is given up, and may still begin.
    SlowStartNotVoided => "a slow op runner is given up without using up its start",
    /// The install is sent before its intent is on the disk.
    EffectBeforeIntent => "the install is sent before its intent is written",
    /// A new driver does not know of the turn.
    RejoinForgotten => "a new driver forgets the install that is in flight",
    /// A resumed run installs again.
    ResumeInstallsAgain => "resume gives a new install attempt, as only retry may",
    /// A retried install has the same id.
    RetryKeepsId => "retry does not make a new id",
    /// The installer's exit is the verdict.
    ConfirmSkipped => "the installer's exit is the verdict: confirm and witnesses are written as if they had passed",
    /// The node's own word is enough.
    WitnessAlone => "the node's own word is enough for its witnesses",
    /// A node changes hands in the middle of an install.
    TakenDuringInstall => "a node is taken over in the middle of its install",
    /// The run ends with the setting changed.
    DoneWhileTuned => "done is written with a setting still changed (and the machine told that it is put back)",
    /// Claims stay behind.
    DoneWithoutRelease => "done is written while nodes are still claimed",
}
