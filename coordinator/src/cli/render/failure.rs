//! What went wrong: what, why, and what to do.

use proto::{Failure, ProgramFailure};

use super::printable;
use super::style::bad;

/// A failure for people.
pub fn failure(failure: &Failure) -> String {
    let mut out = format!("{} {}\n", bad("error:"), printable(&failure.message));
    if let Some(cause) = &failure.cause {
        out.push_str(&labelled("why", cause));
    }
    if let Some(program) = &failure.program {
        out.push_str(&of_program(program));
    }
    if let Some(remedy) = &failure.remedy {
        out.push_str(&labelled("do", remedy));
    }
    out
}

/// A label in front of the first line, the others below its text.
pub(super) fn labelled(label: &str, text: &str) -> String {
    let mut lines = text.lines().map(printable);
    let mut out = format!("{:>8} {}\n", format!("{label}:"), lines.next().unwrap_or_default());
    lines.for_each(|line| out.push_str(&format!("         {line}\n")));
    out
}

fn of_program(program: &ProgramFailure) -> String {
    let argv = program.argv.join(" ");
    let mut out = labelled("program", &format!("{argv} ended: {}", program.status));
    program.tail.iter().for_each(|line| out.push_str(&format!("         | {}\n", printable(line))));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_why_and_remedy_are_said() {
        let failure_ = Failure {
            program: Some(ProgramFailure {
                argv: vec!["./install.sh".to_owned(), "-y".to_owned()],
                status: "exit status: 1".to_owned(),
                tail: vec!["no space\x1b[2J".to_owned()],
            }),
            ..Failure::operator("disk-full", "node 2 is full", "free 3 GB on node 2").because("a\nb")
        };
        let text = anstream::adapter::strip_str(&failure(&failure_)).to_string();
        assert_eq!(
            text,
            "error: node 2 is full\n    why: a\n         b\nprogram: ./install.sh -y ended: exit status: 1\n         \
             | no space [2J\n     do: free 3 GB on node 2\n"
        );
    }
}
