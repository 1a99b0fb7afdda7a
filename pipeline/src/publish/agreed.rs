//! What leaves by agreement only: full cells, and the list of who is to be named. Places of claims and ids of documents
//! stay in the house also then.

use std::collections::{BTreeMap, BTreeSet};

use manifests::exposure::CellCount;
use manifests::id::SourceId;
use manifests::manifest::{PublicManifest, SetManifest};
use manifests::publication::{AgreedCells, Attribution, AttributionList};
use manifests::sign::{Record as _, Statement};
use serde::Deserialize;

use crate::error::Result;
use crate::query::{Engine, Folder, Signed};

pub(super) fn cells(full: &SetManifest, public: &Signed<PublicManifest>) -> Result<Statement<AgreedCells>> {
    let record = AgreedCells {
        schema: AgreedCells::schema(),
        demo: full.demo,
        corpus: full.corpus.clone(),
        set: full.set.clone(),
        manifest: public.digest,
        cells: full.held_cells().into_iter().map(|c| CellCount { evidence: None, ..c.clone() }).collect(),
    };
    record.check_against(&public.record)?;
    Ok(Statement::about_itself(full.set.as_str(), record)?)
}

#[derive(Deserialize)]
struct Said {
    source: String,
    raw: String,
}

/// Copyright statements and attribution texts on documents that were kept, and on whole sources.
const STATEMENTS: &str = "
SELECT DISTINCT c.source, c.raw
FROM claims c LEFT JOIN ledger l ON l.doc_id = c.doc_id
WHERE c.kind IN ('copyright', 'attribution') AND (c.doc_id IS NULL OR l.decision <> 'dropped')
ORDER BY c.source, c.raw";

pub(super) fn attribution(
    folder: &Folder,
    full: &SetManifest,
    public: &Signed<PublicManifest>,
) -> Result<Statement<AttributionList>> {
    let said: Vec<Said> = Engine::open(folder)?.sql(STATEMENTS)?.read()?;
    let mut statements: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Said { source, raw } in said {
        statements.entry(source).or_default().insert(raw);
    }
    let holders = |source: &SourceId| -> BTreeSet<String> {
        let of_source = full.cells.iter().filter(|c| c.cell.sources.contains(source));
        of_source.flat_map(|c| c.cell.rightsholders.iter().cloned()).collect()
    };
    let one = |source: &manifests::manifest::SourceRef| Attribution {
        source: source.id.clone(),
        title: source.title.clone(),
        rightsholders: holders(&source.id),
        statements: statements.get(source.id.as_str()).cloned().unwrap_or_default(),
    };
    let record = AttributionList {
        schema: AttributionList::schema(),
        demo: full.demo,
        corpus: full.corpus.clone(),
        set: full.set.clone(),
        manifest: public.digest,
        sources: full.sources.iter().map(one).collect(),
    };
    Ok(Statement::about_itself(full.set.as_str(), record)?)
}
