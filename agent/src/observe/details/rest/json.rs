//! Taking rows out of JSON. What is not of the form it must have is an error, never a row or a table that looks whole.

use proto::Row;
use serde_json::{Map, Value};

use super::Read;

/// Ends of the names of things that nobody but the product needs to know.
const SECRETS: [&str; 7] = ["pass", "passwd", "password", "passphrase", "secret", "token", "private_key"];

/// The longest name, in bytes, of anything in a document; the product's are far shorter. Names are told again with
/// everything that is below them, so a few long ones could fill the memory.
const LONGEST_NAME: usize = 200;

/// A scalar as text: a whole number, a text or yes and no. `null` is nothing.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An object that is no error message in the place of an answer.
pub(super) fn object(value: &Value) -> Result<&Map<String, Value>, String> {
    match value.as_object() {
        Some(object) if object.contains_key("error_code") => {
            let code = object.get("error_code").and_then(scalar).unwrap_or_default();
            Err(format!("it is the error `{code}`"))
        }
        Some(object) => object.keys().try_for_each(|name| short(name)).map(|()| object),
        None => Err("something that must be an object is none".to_owned()),
    }
}

fn short(name: &str) -> Result<(), String> {
    if name.len() <= LONGEST_NAME {
        return Ok(());
    }
    let start: String = name.chars().take(40).collect();
    Err(format!("it has a name of {} bytes, `{start}…`", name.len()))
}

pub(super) fn list(value: &Value) -> Result<&[Value], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| "something that must be a list is none".to_owned())
}

/// The scalars of an object, without secrets.
pub(super) fn scalars(object: &Map<String, Value>) -> Row {
    let open = object.iter().filter(|(key, _)| !is_secret(key));
    open.filter_map(|(key, value)| Some((key.clone(), scalar(value)?))).collect()
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRETS.iter().any(|end| key.ends_with(end))
}

/// The scalars of an object and of the objects in it, as `outer.inner`, without secrets and lists.
///
/// # Errors
/// A name would be too long.
pub(super) fn flat(object: &Map<String, Value>) -> Result<Row, String> {
    let mut row = scalars(object);
    for (outer, value) in object {
        if let Value::Object(inner) = value {
            for (key, cell) in flat(inner)? {
                let name = format!("{outer}.{key}");
                short(&name)?;
                row.insert(name, cell);
            }
        }
    }
    Ok(row)
}

/// A document that is one row; one without a single cell is no answer.
pub(super) fn one(row: Row) -> Read {
    if row.is_empty() { Err("it tells nothing".to_owned()) } else { Ok(vec![row]) }
}

/// The cell that a row is nothing without.
pub(super) fn must(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    let found = object.get(key).and_then(scalar).filter(|text| !text.is_empty());
    found.ok_or_else(|| format!("something in it has no `{key}`"))
}

/// Texts joined by a comma; `None` if one is missing, because a list that looks whole must be whole.
pub(super) fn joined(items: &[Value], name: impl Fn(&Value) -> Option<String>) -> Option<String> {
    let names: Option<Vec<String>> = items.iter().map(name).collect();
    Some(names?.join(","))
}
