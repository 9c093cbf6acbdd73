//! `ratchet man`.

use clap::CommandFactory;
use clap_mangen::Man;
use proto::Failure;

use super::context::Context;
use super::{Cli, Exit};

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let page = page().map_err(|error| {
            Failure::bug("the manual page cannot be generated").because(error.to_string())
        })?;
        context.out.print(&String::from_utf8_lossy(&page))?;
        Ok(Exit::Done)
    }
}

/// One page for everything: the program's own, then each verb's synopsis and options below it.
fn page() -> std::io::Result<Vec<u8>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    for verb in command.get_subcommands() {
        section(&mut page, &format!("ratchet {}", verb.get_name()), verb)?;
        for below in verb.get_subcommands() {
            section(&mut page, &format!("ratchet {} {}", verb.get_name(), below.get_name()), below)?;
        }
    }
    Ok(page)
}

fn section(page: &mut Vec<u8>, name: &str, verb: &clap::Command) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(page, ".SH {}", name.to_uppercase())?;
    let man = Man::new(verb.clone().bin_name(name));
    man.render_description_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_options_section(page)
}
