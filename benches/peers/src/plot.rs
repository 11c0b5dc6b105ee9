//! The plot of the README: a pair of bars for each figure, from the numbers of the table.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::table::{Row, Table, round};

/// The left edge of the bars, and the width of the longer bar of a pair.
const LEFT: f64 = 230.0;
const WIDTH: f64 = 350.0;
const HEIGHT_OF_PAIR: f64 = 52.0;
const TOP: f64 = 62.0;

/// Colours for a light and a dark background.
const STYLE: &str = "  <style>
    text { fill: #24292f; }
    .small { font-size: 12px; fill: #57606a; }
    .candor { fill: #1a7f37; }
    .peer { fill: #8c959f; }
    .line { stroke: #d0d7de; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .small { fill: #9da7b1; }
      .candor { fill: #3fb950; }
      .peer { fill: #6e7681; }
      .line { stroke: #30363d; }
    }
  </style>
";

/// Writes the plot.
pub fn write(table: &Table, path: &Path, machine: &str) {
    fs::write(path, draw(table, machine)).expect("the plot");
}

fn draw(table: &Table, machine: &str) -> String {
    let rows: Vec<(&str, &Row)> = table.plotted().collect();
    let height = TOP + HEIGHT_OF_PAIR * rows.len() as f64 + 12.0;
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 {height:.0}\" width=\"760\" height=\"{height:.0}\" \
         role=\"img\" aria-labelledby=\"title description\" font-family=\"system-ui, sans-serif\" font-size=\"14\">"
    );
    let _ = writeln!(svg, "  <title id=\"title\">candor and posthog-rs 0.30.0 side by side</title>");
    let words: Vec<String> = rows.iter().map(|(name, row)| in_words(name, row)).collect();
    let _ = writeln!(svg, "  <desc id=\"description\">{}</desc>", words.join(" "));
    svg += STYLE;
    let _ = writeln!(
        svg,
        "  <rect class=\"candor\" x=\"10\" y=\"12\" width=\"14\" height=\"14\" rx=\"2\"/><text x=\"30\" y=\"24\">candor</text>"
    );
    let _ = writeln!(
        svg,
        "  <rect class=\"peer\" x=\"100\" y=\"12\" width=\"14\" height=\"14\" rx=\"2\"/><text x=\"120\" y=\"24\">posthog-rs 0.30.0</text>"
    );
    let _ = writeln!(
        svg,
        "  <text class=\"small\" x=\"10\" y=\"46\">{}; each pair has a scale of its own</text>",
        escape(machine)
    );
    for (index, (name, row)) in rows.iter().enumerate() {
        pair(&mut svg, TOP + HEIGHT_OF_PAIR * index as f64, name, row);
    }
    svg += "</svg>\n";
    svg
}

/// Draws one figure of both sides.
fn pair(svg: &mut String, top: f64, name: &str, row: &Row) {
    let (candor, peer) = (row.candor.unwrap_or(0.0), row.peer.unwrap_or(0.0));
    let longest = candor.max(peer).max(f64::MIN_POSITIVE);
    let less_is_better = row.unit != "/s";
    let hint = if less_is_better { "less is better" } else { "more is better" };
    let _ = writeln!(svg, "  <line class=\"line\" x1=\"10\" y1=\"{top:.0}\" x2=\"750\" y2=\"{top:.0}\"/>");
    let _ = writeln!(svg, "  <text x=\"10\" y=\"{:.0}\">{}</text>", top + 23.0, escape(name));
    let _ = writeln!(svg, "  <text class=\"small\" x=\"10\" y=\"{:.0}\">{hint}</text>", top + 40.0);
    for (class, value, y) in [("candor", candor, top + 9.0), ("peer", peer, top + 29.0)] {
        let width = (WIDTH * value / longest).max(1.0);
        let _ = writeln!(
            svg,
            "  <rect class=\"{class}\" x=\"{LEFT:.0}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"15\" rx=\"2\"/>\
             <text class=\"small\" x=\"{:.0}\" y=\"{:.0}\">{} {}</text>",
            LEFT + width + 8.0,
            y + 12.0,
            round(value),
            row.unit,
        );
    }
    if let Some(ratio) = row.ratio() {
        let better = if less_is_better { candor <= peer } else { candor >= peer };
        let times = if better { format!("{ratio:.1} times") } else { format!("1/{ratio:.1}") };
        let _ = writeln!(svg, "  <text x=\"750\" y=\"{:.0}\" text-anchor=\"end\">{times}</text>", top + 31.0);
    }
}

fn in_words(name: &str, row: &Row) -> String {
    let figure = |value: Option<f64>| format!("{} {}", round(value.unwrap_or(0.0)), row.unit);
    escape(&format!("{name}: candor {}, posthog-rs {}.", figure(row.candor), figure(row.peer)))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
