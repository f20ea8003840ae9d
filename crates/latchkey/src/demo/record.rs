//! The record: receipts and journal, checked with no server.

use anyhow::{Context, ensure};

use super::Story;
use super::steps::{Failed, Found, Steps, said};
use crate::clock;
use crate::journal::{Audit, Export};

/// Walks the part.
pub(super) async fn walk(steps: &mut Steps, story: &mut Story) -> Result<(), Failed> {
    steps.part("The record, checked with no server");
    steps
        .step("everything is stopped", async {
            story.platform.stop().await;
            story.gateway.kill().await?;
            ensure!(story.gateway.process_id().is_none());
            said("no API, no gateway")
        })
        .await?;
    let bundle = steps
        .step(
            "the car acted exactly as often as a receipt says so",
            async {
                let acted = story.gateway.executions()?;
                ensure!(acted == story.done, "{acted} acts, {} receipts", story.done);
                let bundle = story.renter.keys()[0].bundle()?;
                Ok(Found(bundle, format!("{acted} times")))
            },
        )
        .await?;
    let export = steps
        .step(
            "the journal holds, and every receipt matches its entry",
            async {
                let mut export = Export::from_store(story.gateway.data(), clock::now())?;
                export.receipts.clone_from(&story.receipts);
                let audit = Audit::of(&export, &bundle.gateway_key);
                ensure!(audit.findings.is_empty(), "{}", first(&audit));
                ensure!(audit.open_intents.is_empty(), "an intent has no outcome");
                let text = format!(
                    "{} entries, {} receipts",
                    audit.entries.len(),
                    audit.receipts
                );
                Ok(Found(export, text))
            },
        )
        .await?;
    steps
        .step("an edited journal is found out", async {
            let mut edited = export.clone();
            let entry = edited
                .entries
                .get_mut(3)
                .context("the journal has entries")?;
            let last = entry.last_mut().context("an entry has bytes")?;
            *last ^= 1;
            said(found_out(&edited, &bundle)?)
        })
        .await?;
    steps
        .step("a journal with its tail cut off is found out", async {
            let mut cut = export.clone();
            cut.entries.pop();
            said(found_out(&cut, &bundle)?)
        })
        .await
}

fn first(audit: &Audit) -> String {
    audit
        .findings
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn found_out(export: &Export, bundle: &keys_core::bundle::Bundle) -> anyhow::Result<String> {
    let audit = Audit::of(export, &bundle.gateway_key);
    ensure!(!audit.findings.is_empty(), "nothing was found");
    Ok(first(&audit))
}
