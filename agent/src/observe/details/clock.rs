//! Whether the operating system keeps its clock right (fact sheet §6, no. 20).

use std::time::Duration;

use proto::{FactValue, Probe};

use super::Look;
use crate::host::{Action, with_causes};

/// It asks over D-Bus, which may take its time to find that nobody answers.
const DEADLINE: Duration = Duration::from_secs(20);

pub(super) async fn time_synchronised(look: &Look<'_>) -> Probe<FactValue> {
    match look.product.ask_within(Action::TimeSynchronised, DEADLINE).await {
        Ok(output) if output.success() => answer(&output.stdout),
        Ok(output) => Probe::Unknown(format!("`timedatectl show` failed: {}", output.failure().status)),
        Err(error) => Probe::Unknown(with_causes(&error)),
    }
}

fn answer(text: &str) -> Probe<FactValue> {
    match text.trim() {
        "yes" => Probe::Known(FactValue::Flag(true)),
        "no" => Probe::Known(FactValue::Flag(false)),
        other => Probe::Unknown(format!("`timedatectl show` answered `{other}`, neither yes nor no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_and_no_are_answers() {
        assert_eq!(answer("yes\n"), Probe::Known(FactValue::Flag(true)));
        assert_eq!(answer("no\n"), Probe::Known(FactValue::Flag(false)));
        for other in ["", "NTPSynchronized=yes", "yes\nno", "1"] {
            assert!(answer(other).known().is_none(), "{other}");
        }
    }
}
