//! What pure functions have answered before: they answer the same again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

use crate::fingerprint::{Fingerprint, Hashed};

const SHARDS: usize = 64;

/// A table that several threads fill.
#[derive(Debug)]
pub struct Answers<K, V> {
    shards: Vec<RwLock<HashMap<K, V, Hashed>>>,
}

impl<K, V> Default for Answers<K, V> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Answers<K, V> {
    /// What was answered to a question.
    pub fn get(&self, key: &K) -> Option<V> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Notes an answer; the first one stays.
    pub fn note(&self, key: K, value: V) {
        self.shard(&key).write().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(value);
    }

    /// The answer that was given before, or is found now.
    pub fn ask(&self, key: K, find: impl FnOnce() -> V) -> V {
        if let Some(value) = self.get(&key) {
            return value;
        }
        let value = find();
        self.note(key, value.clone());
        value
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what is not wanted any more.
    pub fn keep(&self, wanted: impl Fn(&K) -> bool) {
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).retain(|key, _| wanted(key));
        }
    }

    fn shard(&self, key: &K) -> &RwLock<HashMap<K, V, Hashed>> {
        &self.shards[(Fingerprint::of(key) >> 7) as usize % SHARDS]
    }
}
