//! What a hook's end and its answer mean. Pure. Nothing that cannot be understood lets an upgrade go on.

use std::time::Duration;

use serde::Deserialize;

use super::HookVerdict;

/// The most that a hook may print on its standard output, in bytes: an answer is a line or two.
pub(super) const MOST_OUTPUT: usize = 64 * 1024;

/// The longest message or remedy that is kept, in characters: it is read by people.
const LONGEST_TEXT: usize = 1000;
/// Lines of other output that are kept.
const TAIL_LINES: usize = 20;
/// Characters kept of each.
const TAIL_WIDTH: usize = 300;

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal that was not ours.
    Killed(String),
    /// It was killed when its time was up.
    Overdue(Duration),
    /// It was killed because it printed too much.
    TooMuch,
    /// It did not even start.
    NotStarted(String),
    /// It was started, and cannot be followed.
    Lost(String),
}

/// What a hook may answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    verdict: HookVerdict,
    message: Option<String>,
    remedy: Option<String>,
}

/// What is made of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: HookVerdict,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
    /// Whether standard output was an answer, or nothing: then it is no part of what is shown.
    pub(super) answered: bool,
}

/// What a hook says that ended by itself with this status and printed this: its verdict, its message and its remedy.
pub fn judge_answer(status: i32, stdout: &[u8]) -> (HookVerdict, String, Option<String>) {
    let judged = judge(&Ending::Exited(status), stdout);
    (judged.verdict, judged.message, judged.remedy)
}

/// Judges a hook by how it ended and what it printed on its standard output.
pub(super) fn judge(ending: &Ending, stdout: &[u8]) -> Judgement {
    match (ending, answer(stdout)) {
        (Ending::Exited(0), Ok(None)) => said(HookVerdict::Pass, None, "it passed"),
        (Ending::Exited(0), Ok(Some(answer))) => {
            let (verdict, words) = (answer.verdict, word_of(answer.verdict));
            said(verdict, Some(answer), words)
        }
        (Ending::Exited(0), Err(error)) => {
            cannot_tell(format!("it ended well, but what it printed is no answer: {error}"))
        }
        // Whatever it printed: a hook that fails never lets anything go on.
        (Ending::Exited(status), Ok(answer)) => {
            said(HookVerdict::Block, answer, &format!("it ended with exit status {status}"))
        }
        (Ending::Exited(status), Err(_)) => Judgement {
            answered: false,
            ..said(HookVerdict::Block, None, &format!("it ended with exit status {status}"))
        },
        (Ending::Killed(signal), _) => cannot_tell(format!("it was killed by {signal}")),
        (Ending::Overdue(limit), _) => {
            cannot_tell(format!("it had not ended after {limit:?} and was killed"))
        }
        (Ending::TooMuch, _) => {
            cannot_tell(format!("it printed more than {MOST_OUTPUT} bytes and was killed"))
        }
        (Ending::NotStarted(reason), _) => cannot_tell(format!("it could not be started: {reason}")),
        (Ending::Lost(reason), _) => cannot_tell(format!("it cannot be told how it ended: {reason}")),
    }
}

/// The answer in what was printed; `None` if nothing was.
fn answer(stdout: &[u8]) -> Result<Option<Answer>, serde_json::Error> {
    if stdout.trim_ascii().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(stdout).map(Some)
}

fn word_of(verdict: HookVerdict) -> &'static str {
    match verdict {
        HookVerdict::Pass => "it passed",
        HookVerdict::Warn => "it warns, and does not say of what",
        HookVerdict::Block => "it blocks, and does not say why",
        HookVerdict::CannotTell => "it cannot tell, and does not say why",
    }
}

/// A verdict in the hook's own words, where it has any.
fn said(verdict: HookVerdict, answer: Option<Answer>, otherwise: &str) -> Judgement {
    let (message, remedy) = answer.map_or((None, None), |answer| (answer.message, answer.remedy));
    let words = |text: Option<String>| {
        text.map(|text| plain(text.trim(), LONGEST_TEXT)).filter(|text| !text.is_empty())
    };
    let message = words(message).unwrap_or_else(|| otherwise.to_owned());
    Judgement { verdict, message, remedy: words(remedy), answered: true }
}

/// The message may have words of the hook's, in the reason why they are no answer.
fn cannot_tell(message: String) -> Judgement {
    let message = plain(&message, LONGEST_TEXT);
    Judgement { verdict: HookVerdict::CannotTell, message, remedy: None, answered: false }
}

/// Text that can be shown on a terminal, without what could steer it.
fn plain(text: &str, longest: usize) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(longest).map(shown).collect()
}

/// The last lines of all output that is to be shown.
pub(super) fn tail(outputs: &[&[u8]]) -> Vec<String> {
    let texts: Vec<_> = outputs.iter().map(|output| String::from_utf8_lossy(output)).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim_end).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| plain(line, TAIL_WIDTH)).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Found by fuzzing: the reason why something is no answer repeats it.
    #[test]
    fn what_is_no_answer_steers_no_terminal_and_fills_no_screen() {
        let word = format!("pa\\u001b[2Jss{}", "s".repeat(5000));
        let stdout = format!("{{\"verdict\":\"{word}\"}}");
        let (verdict, message, remedy) = judge_answer(0, stdout.as_bytes());
        assert_eq!((verdict, remedy), (HookVerdict::CannotTell, None));
        assert!(message.contains("pa [2Jsss") && !message.contains(char::is_control), "{message}");
        assert!(message.chars().count() <= LONGEST_TEXT);
    }

    fn verdict(ending: Ending, stdout: &str) -> HookVerdict {
        judge(&ending, stdout.as_bytes()).verdict
    }

    #[test]
    fn an_exit_of_0_says_what_its_answer_says() {
        for (stdout, expected) in [
            ("", HookVerdict::Pass),
            (" \n", HookVerdict::Pass),
            (r#"{"verdict":"pass"}"#, HookVerdict::Pass),
            ("{\"verdict\":\"warn\",\"message\":\"late\"}\n", HookVerdict::Warn),
            (r#"{"verdict":"block","message":"no","remedy":"wait"}"#, HookVerdict::Block),
            (r#"{"verdict":"cannot-tell"}"#, HookVerdict::CannotTell),
        ] {
            assert_eq!(verdict(Ending::Exited(0), stdout), expected, "{stdout}");
        }
        let judged =
            judge(&Ending::Exited(0), br#"{"verdict":"block","message":" no\u001b[2J ","remedy":""}"#);
        assert_eq!((judged.message.as_str(), judged.remedy), ("no [2J", None));
    }

    #[test]
    fn what_is_not_that_answer_cannot_tell() {
        for stdout in [
            "ok",
            "{}",
            "[]",
            "\"pass\"",
            r#"{"verdict":"Pass"}"#,
            r#"{"verdict":"ok"}"#,
            r#"{"verdict":"pass"}{"verdict":"pass"}"#,
            r#"{"verdict":"pass","verdict":"block"}"#,
            r#"{"verdict":"pass","message":1}"#,
            r#"{"verdict":"pass","mesage":"typo"}"#,
            r#"checking… {"verdict":"pass"}"#,
            r#"{"verdict":"pass""#,
        ] {
            assert_eq!(verdict(Ending::Exited(0), stdout), HookVerdict::CannotTell, "{stdout}");
        }
    }

    #[test]
    fn a_hook_that_fails_blocks_in_its_own_words() {
        let judged =
            judge(&Ending::Exited(3), br#"{"verdict":"pass","message":"disk is full","remedy":"df"}"#);
        assert_eq!((judged.verdict, judged.message.as_str()), (HookVerdict::Block, "disk is full"));
        assert_eq!(judge(&Ending::Exited(3), b"oh no").message, "it ended with exit status 3");
        assert!(!judge(&Ending::Exited(3), b"oh no").answered, "what it printed is shown");
    }

    #[test]
    fn only_the_last_lines_are_kept_and_none_steers_a_terminal() {
        let many: String = (0..100).map(|line| format!("line {line}\n\n")).collect();
        let kept = tail(&[b"first\x1b[31m\n", many.as_bytes()]);
        assert_eq!((kept.len(), kept[19].as_str()), (TAIL_LINES, "line 99"));
        assert_eq!(tail(&[b"a\x1b[31mb\xff", b""]), ["a [31mb\u{fffd}"]);
        assert_eq!(tail(&[&[b'x'; 5000]])[0].len(), TAIL_WIDTH);
    }

    fn bad_ending() -> impl Strategy<Value = Ending> {
        prop_oneof![
            any::<i32>().prop_filter("0 is no failure", |status| *status != 0).prop_map(Ending::Exited),
            ".{0,9}".prop_map(Ending::Killed),
            any::<u32>().prop_map(|seconds| Ending::Overdue(Duration::from_secs(seconds.into()))),
            Just(Ending::TooMuch),
            ".{0,9}".prop_map(Ending::NotStarted),
            ".{0,9}".prop_map(Ending::Lost),
        ]
    }

    fn output() -> impl Strategy<Value = Vec<u8>> {
        let answers = r#"\{"verdict":"(pass|warn|block|cannot-tell)"(,"message":"[a-z]{0,9}")?\}"#;
        prop_oneof![prop::collection::vec(any::<u8>(), 0..60), answers.prop_map(String::into_bytes)]
    }

    proptest! {
        #[test]
        fn nothing_but_an_exit_of_0_lets_it_go_on(ending in bad_ending(), stdout in output()) {
            prop_assert!(judge(&ending, &stdout).verdict.blocks());
        }

        #[test]
        fn with_an_exit_of_0_only_silence_or_the_word_lets_it_go_on(stdout in output()) {
            let judged = judge(&Ending::Exited(0), &stdout);
            let silent = stdout.trim_ascii().is_empty();
            let said = serde_json::from_slice::<serde_json::Value>(&stdout).ok();
            let word = said.as_ref().and_then(|said| said.get("verdict")?.as_str());
            prop_assert!(judged.verdict.blocks() || silent || matches!(word, Some("pass" | "warn")));
            prop_assert!(judged.message.chars().all(|c| !c.is_control()));
        }
    }
}
