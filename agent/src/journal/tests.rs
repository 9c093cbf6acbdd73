//! Journals torn, spoiled, and written by other versions.

use super::*;

fn open(path: &Path) -> Result<Opened<u32>, StateError> {
    Journal::open(path, &Disk::real())
}

fn written(path: &Path, numbers: &[u32]) {
    open(path).unwrap().journal.append(numbers).unwrap();
}

#[test]
fn reads_back_what_was_appended_over_many_openings() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events");
    written(&path, &[1, 2]);
    written(&path, &[3]);
    let opened = open(&path).unwrap();
    assert_eq!((opened.records, opened.cut), (vec![1, 2, 3], None));
    let peeked = peek::<u32>(&path).unwrap();
    assert_eq!((peeked.records, peeked.cut, peeked.tail), (vec![1, 2, 3], None, 0));
}

#[test]
fn a_file_torn_anywhere_keeps_a_prefix_and_takes_new_records() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    written(&whole, &[10, 20, 30]);
    let bytes = fs::read(&whole).unwrap();
    for length in 0..bytes.len() {
        let path = dir.path().join(format!("torn-{length}"));
        fs::write(&path, &bytes[..length]).unwrap();
        let peeked = peek::<u32>(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), length, "a look changes nothing");
        let opened = open(&path).unwrap();
        let kept = opened.records;
        assert!([10, 20, 30].starts_with(&kept) && kept.len() < 3, "{length}: {kept:?}");
        assert_eq!((&peeked.records, peeked.tail), (&kept, opened.cut.unwrap_or(0)), "{length}");
        written(&path, &[40]);
        let again = open(&path).unwrap();
        assert_eq!(again.records, [kept, vec![40]].concat(), "{length}");
        assert_eq!(again.cut, opened.cut, "what was cut once is told ever after");
    }
}

#[test]
fn a_flipped_byte_ends_the_journal_there_and_all_that_is_ever_cut_is_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events");
    written(&path, &[10, 20, 30]);
    for (cut, kept) in [(32, 32), (16, 48)] {
        let mut bytes = fs::read(&path).unwrap();
        let spoiled = bytes.len() - cut + 14;
        bytes[spoiled] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let tail = &bytes[bytes.len() - cut..];
        let opened = open(&path).unwrap();
        assert_eq!(opened.cut, Some(kept));
        let aside = fs::read(aside(&path)).unwrap();
        assert_eq!((aside.len() as u64, aside.ends_with(tail)), (kept, true));
        assert_eq!(peek::<u32>(&path).unwrap().cut, Some(kept));
    }
    assert!(open(&path).unwrap().records.is_empty());
}

/// A journal as the first version of the agent wrote it.
const OF_FORMAT_1: &str = "ratchet-journal 1\n4a44dc153642 10\nf5ca38f748a1 20\n";

#[test]
fn a_journal_of_an_older_version_is_read_and_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events");
    fs::write(&path, OF_FORMAT_1).unwrap();
    assert_eq!(peek::<u32>(&path).unwrap().records, [10, 20]);
    written(&path, &[30]);
    assert_eq!(open(&path).unwrap().records, [10, 20, 30]);
    assert!(fs::read_to_string(&path).unwrap().starts_with(OF_FORMAT_1), "what was written stays as it is");
}

#[test]
fn what_a_later_version_wrote_is_refused_by_name_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events");
    for later in
        ["ratchet-journal 2\n", "ratchet-journal 2\nbinary\0", "ratchet-journal 2", "ratchet-journal 10\n"]
    {
        fs::write(&path, later).unwrap();
        for error in [open(&path).unwrap_err(), peek::<u32>(&path).unwrap_err()] {
            assert!(matches!(&error, StateError::Format { known: 1, .. }), "{error}");
            let said = error.to_string();
            assert!(said.contains("events has format ") && said.contains("install the version"), "{said}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), later);
        assert!(!aside(&path).exists());
    }
    // Format 1, whole, but a record of a kind that came later: no damage either.
    let record = "\"later\"";
    let text = format!("{OF_FORMAT_1}{} {record}\n", Sha256::of(record.as_bytes()).short());
    fs::write(&path, &text).unwrap();
    assert!(matches!(open(&path).unwrap_err(), StateError::Record { .. }));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_is_no_journal_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events");
    for other in ["\n", "ratchet-journal \n", "ratchet-jourmal 1\n4a44dc153642 10\n", "{}", "\0\0\0"] {
        fs::write(&path, other).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(&error, StateError::Damaged { .. }), "{other:?}: {error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
    }
}

#[derive(Debug, Default)]
struct FullOnce(std::sync::atomic::AtomicBool);

impl durable::DiskWatch for FullOnce {
    fn before(&self, _: &Path) -> io::Result<()> {
        let full = self.0.swap(false, std::sync::atomic::Ordering::Relaxed);
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn after(&self, _: &Path) {}
}

#[test]
fn after_an_append_that_failed_the_next_one_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events");
    let full = std::sync::Arc::new(FullOnce::default());
    let mut journal = Journal::<u32>::open(&path, &Disk::watched(full.clone())).unwrap().journal;
    journal.append(&[1]).unwrap();
    full.0.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(journal.append(&[2]).unwrap_err().is_disk_full());
    journal.append(&[3]).unwrap();
    assert_eq!(open(&path).unwrap().records, [1, 3]);
}
