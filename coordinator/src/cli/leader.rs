//! `ratchet leader`.

use proto::Failure;

use super::client::Answer;
use super::context::Context;
use super::{Exit, render};
use crate::documents::{CoordinatorRow, ErrorDocument, LeaderDocument};

/// Arguments of `leader`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        let mut answer = client.leader().await?;
        let each = client.leaders().await;
        if !each.is_empty() {
            answer.document.coordinators = each.into_iter().map(row).collect();
            answer.json = serde_json::to_string(&answer.document).map_err(|error| {
                Failure::bug("who leads cannot be written as JSON").because(error.to_string())
            })?;
        }
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |document| render::leader(document, &zone))?;
        Ok(if answer.document.holder.is_some() { Exit::Done } else { Exit::Unreachable })
    }
}

fn row((address, answer): (String, Result<Answer<LeaderDocument>, Failure>)) -> CoordinatorRow {
    match answer {
        Ok(answer) => CoordinatorRow { address, leads: Some(answer.document.leads), error: None },
        Err(failure) => {
            CoordinatorRow { address, leads: None, error: Some(ErrorDocument::from(&failure).error) }
        }
    }
}
