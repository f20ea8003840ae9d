//! Writes the test vectors under `tests/vectors/`: `cargo run -p keys-core --example write_vectors`.
//!
//! The files depend on nothing but this program, which builds every byte itself: none of the
//! encoders of keys-core is used, and every expected answer is written down, not computed.

mod generate;

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    std::fs::create_dir_all(&directory)?;
    for entry in std::fs::read_dir(&directory)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            std::fs::remove_file(path)?;
        }
    }
    for (name, text) in generate::files() {
        std::fs::write(directory.join(name), text)?;
    }
    Ok(())
}
