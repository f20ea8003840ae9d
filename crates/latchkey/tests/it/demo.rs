//! `latchkey demo`

use crate::support::{run, stderr, stdout};

#[test]
fn the_whole_story_holds() {
    let output = run(&["demo"], "");
    let text = stdout(&output);

    assert!(output.status.success(), "{text}{}", stderr(&output));
    assert!(
        text.lines().filter(|line| line.contains('✓')).count() > 20,
        "{text}"
    );
    assert!(!text.contains('✗'), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
}
