//! Which memory this agent has: an id that it makes once, with its state directory. A wiped or replaced directory has
//! another one, so a coordinator sees that the agent does not know any more what it was told (promise P6).

use std::path::Path;

use proto::AgentMemory;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::durable::{self, Disk, StateError};

#[derive(Serialize, Deserialize)]
struct Kept {
    memory: AgentMemory,
}

/// Reads the id, or makes it where there is none.
///
/// # Errors
/// [`StateError`]: a damaged id is never replaced.
pub fn open(path: &Path, disk: &Disk) -> Result<AgentMemory, StateError> {
    if let Some(memory) = read(path)? {
        return Ok(memory);
    }
    let memory = Uuid::now_v7().to_string().parse().map_err(StateError::damaged(path))?;
    disk.create_json_once(path, &Kept { memory })?;
    // Whoever was first made it.
    read(path)?.ok_or_else(|| StateError::damaged(path)("it is gone"))
}

/// Reads the id; `None` if none was made yet.
///
/// # Errors
/// [`StateError`].
pub fn read(path: &Path) -> Result<Option<AgentMemory>, StateError> {
    Ok(durable::read_json::<Kept>(path)?.map(|kept| kept.memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_stays_and_a_fresh_directory_has_another() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open_in = |dir: &tempfile::TempDir| open(&dir.path().join("memory.json"), &Disk::real()).unwrap();
        assert_eq!(read(&one.path().join("memory.json")).unwrap(), None);
        let memory = open_in(&one);
        assert_eq!(open_in(&one), memory);
        assert_ne!(open_in(&two), memory);
    }

    #[test]
    fn a_damaged_memory_is_not_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("memory.json");
        for text in ["", "{}", r#"{"memory":""}"#, r#"{"format":2,"memory":"x"}"#] {
            std::fs::write(&path, text).unwrap();
            open(&path, &Disk::real()).unwrap_err();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
