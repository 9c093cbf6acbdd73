//! Work on files that may never answer, away from the runtime and with an end.

use std::time::Duration;

use proto::{FactValue, Probe};

/// A file system that does not answer must not hold the observation.
const DEADLINE: Duration = Duration::from_secs(20);

/// Does it on a thread for such work; an error is why the fact is not known.
pub(super) async fn blocking(
    what: &str,
    work: impl FnOnce() -> Result<FactValue, String> + Send + 'static,
) -> Probe<FactValue> {
    match tokio::time::timeout(DEADLINE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(Ok(value))) => Probe::Known(value),
        Ok(Ok(Err(reason))) => Probe::Unknown(reason),
        Ok(Err(_)) => Probe::Unknown(format!("looking for {what} was broken off")),
        Err(_) => Probe::Unknown(format!("looking for {what} took longer than {DEADLINE:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_breaks_is_unknown() {
        assert_eq!(blocking("x", || Ok(FactValue::Number(1))).await, Probe::Known(FactValue::Number(1)));
        assert_eq!(blocking("x", || Err("no".to_owned())).await, Probe::Unknown("no".to_owned()));
        let broken = blocking("links", || panic!("on purpose")).await;
        assert!(broken.as_result().unwrap_err().contains("links"));
    }
}
