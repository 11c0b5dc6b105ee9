//! The measurements, one file for each section of the table.

mod bursts;
mod memory;
mod processes;
mod spool;
mod weight;

use crate::Plan;
use crate::table::Table;

/// Measures every section of the plan, and adds its rows.
pub fn measure(plan: &Plan, table: &mut Table) {
    let sections: [(&str, fn(&Plan, &mut Table)); 5] = [
        ("bursts", bursts::measure),
        ("memory", memory::measure),
        ("processes", processes::measure),
        ("spool", spool::measure),
        ("weight", weight::measure),
    ];
    let is_wanted = |name: &str| plan.only.as_ref().is_none_or(|only| only == name);
    assert!(
        sections.iter().any(|(name, _)| is_wanted(name)),
        "--only: one of {:?}",
        sections.map(|(name, _)| name)
    );
    for (_, measure) in sections.into_iter().filter(|(name, _)| is_wanted(name)) {
        measure(plan, table);
    }
}
