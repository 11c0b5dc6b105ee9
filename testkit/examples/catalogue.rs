//! Prints the page of everything that a fictional product sends, generated from the types of its events.
//!
//! `catalogue [--json-schema | --notice | --preview]`
//!
//! `--json-schema` prints a JSON object with the schemas of each event and of a batch, `--notice` the short text of
//! the notice, and `--preview` the bytes that one capture would send.

use std::process::ExitCode;

use testkit::larder::{CATALOGUE, samples};

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    match argument.as_deref() {
        None => print!("{}", CATALOGUE.markdown()),
        Some("--json-schema") => println!("{}", schemas()),
        Some("--notice") => println!("{}", CATALOGUE.notice()),
        Some("--preview") => match candor::preview(&samples::backup_finished()) {
            Ok(preview) => println!("{preview}"),
            Err(reason) => println!("nothing would be sent: {reason}"),
        },
        Some(_) => {
            eprintln!("usage: catalogue [--json-schema | --notice | --preview]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn schemas() -> String {
    let events: Vec<String> = CATALOGUE
        .events()
        .iter()
        .filter_map(|event| Some(format!("{:?}: {}", event.name(), CATALOGUE.event_schema(event.name())?)))
        .collect();
    format!("{{\n\"events\": {{\n{}\n}},\n\"batch\": {}\n}}", events.join(",\n"), CATALOGUE.batch_schema())
}
