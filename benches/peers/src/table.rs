//! The table: one figure in each row, with both sides and whether the target was met.

use std::fmt;
use std::fs;
use std::path::Path;

/// The markers around the table in a document.
const BEGIN: &str = "<!-- figures: begin -->\n";
const END: &str = "<!-- figures: end -->";

/// The rows by section, in the order of measurement.
#[derive(Default)]
pub struct Table {
    sections: Vec<(String, Vec<Row>)>,
    current: usize,
}

/// One figure.
#[derive(Default)]
pub struct Row {
    figure: String,
    pub unit: &'static str,
    pub peer: Option<f64>,
    pub candor: Option<f64>,
    target: Target,
    /// The name of the figure in the plot, if it is shown there.
    pub plotted: Option<&'static str>,
}

/// The target for candor.
#[derive(Clone, Copy, Default)]
pub enum Target {
    /// The peer's figure is at least this many times candor's.
    TimesLess(f64),
    /// Candor's figure is at least this many times the peer's.
    TimesMore(f64),
    /// Candor's figure is at most this.
    AtMost(f64),
    /// Candor's figure exceeds another figure of candor by at most this much.
    AtMostMore { than: f64, by: f64, what: &'static str },
    /// Candor's figure is at least this.
    AtLeast(f64),
    /// There is no target.
    #[default]
    None,
}

impl Row {
    pub fn new(figure: &str, unit: &'static str) -> Self {
        Self { figure: figure.to_owned(), unit, ..Self::default() }
    }

    /// Sets the peer's figure, if it has one.
    pub fn peer(self, peer: Option<f64>) -> Self {
        Self { peer, ..self }
    }

    pub fn candor(self, candor: Option<f64>) -> Self {
        Self { candor, ..self }
    }

    pub fn target(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// Shows the figure in the plot as well.
    pub fn plotted(self, name: &'static str) -> Self {
        Self { plotted: Some(name), ..self }
    }

    /// Returns the ratio of the larger figure to the smaller, or `None` if one of them is missing or zero.
    pub fn ratio(&self) -> Option<f64> {
        let (peer, candor) = self.peer.zip(self.candor)?;
        (peer.min(candor) > 0.0).then(|| peer.max(candor) / peer.min(candor))
    }

    /// Returns the target in words, and whether it was met.
    fn outcome(&self) -> (String, bool) {
        let unit = self.unit;
        let (peer, candor) = (self.peer.unwrap_or(f64::NAN), self.candor.unwrap_or(f64::NAN));
        match self.target {
            Target::TimesLess(times) => (format!("at least {times} times less"), peer >= candor * times),
            Target::TimesMore(times) => (format!("at least {times} times more"), candor >= peer * times),
            Target::AtMost(max) => (format!("at most {max} {unit}"), candor <= max),
            Target::AtMostMore { than, by, what } => {
                (format!("at most {by} {unit} more than {what}"), candor <= than + by)
            }
            Target::AtLeast(min) => (format!("at least {min} {unit}"), candor >= min),
            Target::None => ("-".to_owned(), true),
        }
    }

    fn cells(&self) -> [String; 5] {
        let (wanted, is_met) = self.outcome();
        let figure = |value: Option<f64>| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{} {}", round(value), self.unit))
        };
        [
            self.figure.clone(),
            figure(self.peer),
            figure(self.candor),
            self.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}")),
            if is_met { wanted } else { format!("{wanted}: MISSED") },
        ]
    }
}

impl Table {
    /// Starts a section, or continues one that was started before.
    pub fn section(&mut self, title: &str) {
        let known = self.sections.iter().position(|(name, _)| name == title);
        self.current = known.unwrap_or(self.sections.len());
        if known.is_none() {
            self.sections.push((title.to_owned(), Vec::new()));
        }
    }

    pub fn add(&mut self, row: Row) {
        self.sections[self.current].1.push(row);
    }

    /// Returns the rows of the plot.
    pub fn plotted(&self) -> impl Iterator<Item = (&'static str, &Row)> {
        self.sections.iter().flat_map(|(_, rows)| rows).filter_map(|row| Some((row.plotted?, row)))
    }

    /// Writes the table between the markers of a document.
    pub fn write_markdown(&self, path: &Path, machine: &str) {
        let text = fs::read_to_string(path).expect("the document");
        let (before, rest) = text.split_once(BEGIN).expect("the first marker");
        let (_, after) = rest.split_once(END).expect("the second marker");
        let table = self.markdown(machine);
        fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).expect("the document");
    }

    fn markdown(&self, machine: &str) -> String {
        let mut text = format!("Measured: {machine}.\n\n");
        text += "| figure | posthog-rs 0.30.0 | candor | ratio | target |\n|---|---|---|---|---|\n";
        for (title, rows) in &self.sections {
            text += &format!("| **{title}** | | | | |\n");
            for row in rows {
                text += &format!("| {} |\n", row.cells().join(" | "));
            }
        }
        text
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<58} {:>18} {:>18} {:>7}  target", "figure", "posthog-rs", "candor", "ratio")?;
        for (title, rows) in &self.sections {
            writeln!(f, "\n{title}")?;
            for row in rows {
                let [figure, peer, candor, ratio, target] = row.cells();
                writeln!(f, "  {figure:<56} {peer:>18} {candor:>18} {ratio:>7}  {target}")?;
            }
        }
        Ok(())
    }
}

/// Formats a number with three significant digits and commas between thousands.
pub fn round(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
