//! A statement with its values, which can be carried out again.

use futures::TryStreamExt;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Executor, PgConnection, Postgres};

/// One statement. It is a transaction of its own, so that no lock waits for a client that has fallen silent.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    sql: &'static str,
    values: Vec<Value>,
}

#[derive(Clone, Debug)]
enum Value {
    Text(Option<String>),
    Number(i64),
    Flag(bool),
    Texts(Vec<String>),
    Numbers(Vec<i64>),
}

impl Statement {
    pub(super) fn new(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }

    pub(super) fn text(self, text: impl Into<String>) -> Self {
        self.with(Value::Text(Some(text.into())))
    }

    pub(super) fn text_or_none(self, text: Option<&str>) -> Self {
        self.with(Value::Text(text.map(str::to_owned)))
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.with(Value::Number(number))
    }

    pub(super) fn count(self, number: u64) -> Self {
        self.number(number.cast_signed())
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.with(Value::Flag(flag))
    }

    pub(super) fn texts(self, texts: Vec<String>) -> Self {
        self.with(Value::Texts(texts))
    }

    pub(super) fn numbers(self, numbers: Vec<i64>) -> Self {
        self.with(Value::Numbers(numbers))
    }

    fn with(mut self, value: Value) -> Self {
        self.values.push(value);
        self
    }

    /// The rows that it answers, and how many it has changed.
    pub(super) async fn carry_out(&self, connection: &mut PgConnection) -> Result<Answer, sqlx::Error> {
        let mut answer = Answer::default();
        let mut stream = connection.fetch_many(self.query());
        while let Some(part) = stream.try_next().await? {
            match part {
                sqlx::Either::Left(done) => answer.changed += done.rows_affected(),
                sqlx::Either::Right(row) => answer.rows.push(row),
            }
        }
        Ok(answer)
    }

    fn query(&self) -> Query<'_, Postgres, PgArguments> {
        self.values.iter().fold(sqlx::query(self.sql), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Flag(flag) => query.bind(flag),
            Value::Texts(texts) => query.bind(texts),
            Value::Numbers(numbers) => query.bind(numbers),
        })
    }
}

/// What came of a statement.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<PgRow>,
    pub(super) changed: u64,
}
