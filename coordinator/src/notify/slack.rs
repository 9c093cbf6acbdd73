//! The form that Slack's incoming webhooks take, and those that copy them.

use serde_json::json;

use super::Notice;

/// The body: one text, with what can be done now as a block of commands.
pub fn slack(notice: &Notice) -> String {
    let mut text = format!("*{}*\n{}", escape(&notice.title), escape(&notice.text));
    if !notice.commands.is_empty() {
        text.push_str(&format!("\n```{}```", escape(&notice.commands.join("\n"))));
    }
    json!({ "text": text }).to_string()
}

/// Slack reads `<…>` as links and mentions: what comes from elsewhere must not be able to call the whole channel.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::notice;

    #[test]
    fn what_others_wrote_cannot_call_the_channel() {
        let notice = Notice { text: "the cause was <!channel> & more".to_owned(), ..notice() };
        let body: serde_json::Value = serde_json::from_str(&slack(&notice)).unwrap();
        let text = body["text"].as_str().unwrap();
        assert!(text.contains("&lt;!channel&gt; &amp; more"), "{text}");
        assert!(text.starts_with("*orders: ") && text.ends_with("```"), "{text}");
    }
}
