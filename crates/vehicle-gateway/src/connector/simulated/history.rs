//! What the simulated car has carried out: an append-only list, in a file if one is configured.
//!
//! The list is all the car remembers over a restart, so what it counts is what it did. A line is
//! written before the car acts; a torn last line was never acted on and is cut off.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One command the car carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// Which one it was, from 0.
    pub index: u64,
    /// The command id, in hex.
    pub command_id: String,
    /// The command's name.
    pub command: String,
    /// The car's own clock, in ms.
    pub car_clock_ms: i64,
}

/// The car's memory of what it carried out.
#[derive(Debug, Default)]
pub(crate) struct History {
    file: Option<File>,
    recent: VecDeque<Execution>,
    count: u64,
}

impl History {
    /// How many executions are kept in memory.
    const RECENT: usize = 1_000;

    /// Opens the file, giving every execution in it to `replay`.
    pub(crate) fn open(path: &Path, mut replay: impl FnMut(&Execution)) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut history = Self::default();
        let mut reader = BufReader::new(&mut file);
        let (mut line, mut whole) = (String::new(), 0u64);
        loop {
            line.clear();
            let read = reader.read_line(&mut line)?;
            if read == 0 || !line.ends_with('\n') {
                break;
            }
            let execution: Execution = serde_json::from_str(&line)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, bad_line(history.count)))?;
            whole += read as u64;
            replay(&execution);
            history.remember(execution);
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        history.file = Some(file);
        Ok(history)
    }

    /// Adds an execution, in the file first.
    pub(crate) fn append(&mut self, command_id: String, command: &str, at: i64) -> io::Result<()> {
        let execution = Execution {
            index: self.count,
            command_id,
            command: command.to_owned(),
            car_clock_ms: at,
        };
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&execution)?;
            line.push(b'\n');
            file.write_all(&line)?;
        }
        self.remember(execution);
        Ok(())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The newest, oldest first, at most a thousand.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Execution> {
        self.recent.iter()
    }

    fn remember(&mut self, execution: Execution) {
        self.count += 1;
        self.recent.push_back(execution);
        if self.recent.len() > Self::RECENT {
            self.recent.pop_front();
        }
    }
}

fn bad_line(index: u64) -> String {
    format!(
        "line {} is not an execution; move the file away to start with a car that has done nothing",
        index + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_carried_out_is_there_again_and_a_torn_line_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("executions.jsonl");
        let mut history = History::open(&path, |_| panic!("nothing to replay")).unwrap();
        history.append("aa".into(), "unlock", 5).unwrap();
        drop(history);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"index\":1,")
            .unwrap();

        let mut replayed = Vec::new();
        let mut history = History::open(&path, |one| replayed.push(one.command.clone())).unwrap();
        assert_eq!(replayed, ["unlock"]);
        history.append("bb".into(), "lock", 6).unwrap();
        drop(history);
        let history = History::open(&path, |_| ()).unwrap();
        assert_eq!(history.count(), 2);
        assert_eq!(
            history.recent().map(|one| one.index).collect::<Vec<_>>(),
            [0, 1]
        );
    }

    #[test]
    fn a_line_that_is_no_execution_refuses_to_open_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("executions.jsonl");
        std::fs::write(&path, "{}\n").unwrap();
        let error = History::open(&path, |_| ()).unwrap_err();
        assert!(
            error.to_string().starts_with("line 1 is not an execution"),
            "{error}"
        );
    }
}
