//! Facts that were asked for by name.

use super::WireError;
use super::field::Field;
use crate::{Details, FactValue, Row, pb};

impl Field<pb::FactValue> for FactValue {
    fn put(&self) -> pb::FactValue {
        use pb::fact_value::Value;
        let value = match self {
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Lines(lines) => Value::Lines(lines.put()),
            Self::Rows(rows) => Value::Rows(pb::Rows { rows: rows.put() }),
        };
        pb::FactValue { value: Some(value) }
    }

    fn take(wire: pb::FactValue) -> Result<Self, WireError> {
        use pb::fact_value::Value;
        Ok(match wire.value.ok_or_else(WireError::nothing_set)? {
            Value::Flag(flag) => Self::Flag(flag),
            Value::Number(number) => Self::Number(number),
            Value::Text(text) => Self::Text(text),
            Value::Lines(lines) => Self::Lines(Field::take(lines)?),
            Value::Rows(rows) => {
                Self::Rows(Field::take(rows.rows).map_err(|error: WireError| error.within("rows"))?)
            }
        })
    }
}

impl Field<pb::Row> for Row {
    fn put(&self) -> pb::Row {
        let cell = |(key, value): (&String, &String)| pb::Cell { key: key.clone(), value: value.clone() };
        pb::Row { cells: self.iter().map(cell).collect() }
    }

    fn take(wire: pb::Row) -> Result<Self, WireError> {
        let mut row = Self::new();
        for (index, pb::Cell { key, value }) in wire.cells.into_iter().enumerate() {
            if row.contains_key(&key) {
                return Err(twice(&key).within("key").at(index).within("cells"));
            }
            row.insert(key, value);
        }
        Ok(row)
    }
}

impl Field<Vec<pb::Detail>> for Details {
    fn put(&self) -> Vec<pb::Detail> {
        self.0.iter().map(|(fact, value)| pb::Detail { fact: fact.put(), value: value.put() }).collect()
    }

    fn take(wire: Vec<pb::Detail>) -> Result<Self, WireError> {
        let mut details = Self::default();
        for (index, pb::Detail { fact, value }) in wire.into_iter().enumerate() {
            let fact = Field::take(fact).map_err(|error: WireError| error.within("fact").at(index))?;
            let value = Field::take(value).map_err(|error: WireError| error.within("value").at(index))?;
            if details.0.insert(fact, value).is_some() {
                return Err(twice(fact.word()).within("fact").at(index));
            }
        }
        Ok(details)
    }
}

fn twice(name: &str) -> WireError {
    WireError::new(format!("`{name}` is listed twice"))
}
