//! Telling systemd how the service is (`Type=notify`).

use std::net::SocketAddr;

/// Tells systemd that the service is ready, and keeps its watchdog fed from the event loop that does the work.
pub fn ready(address: &SocketAddr) {
    notify(&[
        sd_notify::NotifyState::Ready,
        sd_notify::NotifyState::Status(&format!("listening on {address}")),
    ]);
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    tokio::spawn(async move {
        let mut beat = tokio::time::interval(interval / 2);
        loop {
            beat.tick().await;
            notify(&[sd_notify::NotifyState::Watchdog]);
        }
    });
}

/// Tells systemd, and so `systemctl status`, what the service does now.
pub fn status(text: &str) {
    notify(&[sd_notify::NotifyState::Status(text)]);
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told");
    }
}
