//! One file of vectors: a title and cases, with what all cases share said once.

use super::json::{J, obj};
use super::scene::Scene;

/// Cases of one kind.
pub(crate) struct Group {
    number: u32,
    name: &'static str,
    kind: &'static str,
    title: &'static str,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    note: String,
    fields: Vec<(String, J)>,
    expect: J,
}

impl Group {
    /// A file of records and the decisions about them.
    pub(crate) fn decisions(number: u32, name: &'static str, title: &'static str) -> Self {
        Self::of_kind(number, name, "decision", title)
    }

    pub(crate) fn of_kind(
        number: u32,
        name: &'static str,
        kind: &'static str,
        title: &'static str,
    ) -> Self {
        Self {
            number,
            name,
            kind,
            title,
            cases: Vec::new(),
        }
    }

    pub(crate) fn allow(
        &mut self,
        name: impl Into<String>,
        note: impl Into<String>,
        scene: &Scene,
    ) {
        self.decide(name, note, scene, "allow", "");
    }

    /// Refused for these reasons, separated by spaces.
    pub(crate) fn refuse(
        &mut self,
        name: impl Into<String>,
        note: impl Into<String>,
        scene: &Scene,
        reasons: &str,
    ) {
        self.decide(name, note, scene, "refuse", reasons);
    }

    pub(crate) fn lock_only(
        &mut self,
        name: impl Into<String>,
        note: impl Into<String>,
        scene: &Scene,
        reasons: &str,
    ) {
        self.decide(name, note, scene, "lock-only", reasons);
    }

    /// Allowed if `reasons` is empty.
    pub(crate) fn answer(
        &mut self,
        name: impl Into<String>,
        note: impl Into<String>,
        scene: &Scene,
        reasons: &str,
    ) {
        let decision = if reasons.is_empty() {
            "allow"
        } else {
            "refuse"
        };
        self.decide(name, note, scene, decision, reasons);
    }

    fn decide(
        &mut self,
        name: impl Into<String>,
        note: impl Into<String>,
        scene: &Scene,
        decision: &str,
        reasons: &str,
    ) {
        let expect = obj([
            ("decision", J::str(decision)),
            ("reasons", J::list(reasons.split_whitespace().map(J::str))),
        ]);
        self.add(name, note, scene.to_json(), expect);
    }

    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        note: impl Into<String>,
        fields: Vec<(String, J)>,
        expect: J,
    ) {
        self.cases.push(Case {
            name: name.into(),
            note: note.into(),
            fields,
            expect,
        });
    }

    /// The file's name and text.
    pub(crate) fn into_file(self) -> (String, String) {
        let common = self.common();
        let is_common = |name: &str| common.iter().any(|(other, _)| other == name);
        let cases = self.cases.iter().map(|case| {
            let case_name = format!("{:04}-{}", self.number, case.name);
            let own = case
                .fields
                .iter()
                .filter(|(name, _)| !is_common(name))
                .cloned();
            let head = [
                ("case".to_owned(), J::str(case_name)),
                ("note".to_owned(), J::str(&case.note)),
            ];
            let tail = [("expect".to_owned(), case.expect.clone())];
            J::Obj(head.into_iter().chain(own).chain(tail).collect())
        });
        let cases = J::Arr(cases.collect());
        let file = obj([
            ("title", J::str(self.title)),
            ("kind", J::str(self.kind)),
            ("common", J::Obj(common.clone())),
            ("cases", cases),
        ]);
        (
            format!("{:04}-{}.json", self.number, self.name),
            file.file(),
        )
    }

    /// The fields that are the same in every case.
    fn common(&self) -> Vec<(String, J)> {
        let Some((first, others)) = self.cases.split_first() else {
            return Vec::new();
        };
        let in_all = |field: &&(String, J)| others.iter().all(|case| case.fields.contains(field));
        if others.is_empty() {
            return Vec::new();
        }
        first.fields.iter().filter(in_all).cloned().collect()
    }
}
