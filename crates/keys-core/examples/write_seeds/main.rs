//! Writes the seeds of the fuzz targets into `fuzz/corpus/`, one directory a target.
//!
//! `cargo run -p keys-core --features testing --example write_seeds`

mod seeds;
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut written = 0;
    for target in targets::all() {
        let directory = crate_root.join("fuzz/corpus").join(target.name);
        std::fs::create_dir_all(&directory)?;
        for (name, bytes) in seeds::of(target.name) {
            // What a target finds in a seed it would find at once.
            (target.run)(&bytes);
            std::fs::write(directory.join(name), bytes)?;
            written += 1;
        }
    }
    println!("{written} seeds");
    Ok(())
}
