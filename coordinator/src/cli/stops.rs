//! Ctrl-C and SIGTERM as values.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Somebody wants the command to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C, or SIGINT.
    Interrupt,
    /// SIGTERM: there is no time to wait.
    Terminate,
}

/// Where stops come from: signals, or a test.
#[derive(Debug)]
pub struct Stops {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Signals,
    Listening(mpsc::Receiver<Stop>),
}

impl Stops {
    /// The process's signals. Until [`Stops::listen`] is called they end the process as usual.
    pub fn from_signals() -> Self {
        Self { source: Source::Signals }
    }

    /// Stops sent by somebody else.
    pub fn from_channel(stops: mpsc::Receiver<Stop>) -> Self {
        Self { source: Source::Listening(stops) }
    }

    /// From here on signals are values. Needs a tokio runtime.
    ///
    /// # Errors
    /// The system refuses signal handlers.
    pub fn listen(&mut self) -> io::Result<()> {
        if let Source::Signals = self.source {
            self.source = Source::Listening(signals()?);
        }
        Ok(())
    }

    /// Hands the stops on to somebody else; none are left here.
    pub fn take(&mut self) -> Self {
        let (_, nothing) = mpsc::channel(1);
        std::mem::replace(self, Self::from_channel(nothing))
    }

    /// The next stop; waits for ever when there is nobody left to send one. Needs [`Stops::listen`] first.
    pub async fn next(&mut self) -> Stop {
        if let Source::Listening(stops) = &mut self.source
            && let Some(stop) = stops.recv().await
        {
            return stop;
        }
        std::future::pending().await
    }
}

fn signals() -> io::Result<mpsc::Receiver<Stop>> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            let stop = tokio::select! {
                Some(()) = interrupts.recv() => Stop::Interrupt,
                Some(()) = terminations.recv() => Stop::Terminate,
                else => return,
            };
            if sender.send(stop).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn signals_become_values_in_order() {
        let mut stops = Stops::from_signals();
        stops.listen().unwrap();
        for (signal, stop) in [(Signal::INT, Stop::Interrupt), (Signal::TERM, Stop::Terminate)] {
            kill_process(getpid(), signal).unwrap();
            assert_eq!(stops.next().await, stop);
        }
    }

    #[tokio::test]
    async fn stops_that_were_handed_on_come_to_the_new_owner_only() {
        let (sender, receiver) = mpsc::channel(1);
        let mut stops = Stops::from_channel(receiver);
        let mut taken = stops.take();
        sender.send(Stop::Interrupt).await.unwrap();
        assert_eq!(taken.next().await, Stop::Interrupt);
        assert!(futures::poll!(std::pin::pin!(stops.next())).is_pending());
    }
}
