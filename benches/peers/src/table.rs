//! The table: one figure in each row, with both sides and whether the target was met.

/// The rows, in the order of measurement.
#[derive(Default)]
pub struct Table(Vec<[String; 5]>);

/// The target for candor.
pub enum Target {
    /// The peer's figure is at least this many times candor's.
    TimesLess(f64),
    /// Candor's figure is at least this many times the peer's.
    TimesMore(f64),
    /// Candor's figure is at most this.
    AtMost(f64),
    /// Candor's figure is at least this.
    AtLeast(f64),
    /// There is no target.
    None,
}

impl Table {
    /// Adds a row; `peer` is `None` if only candor has the figure.
    pub fn row(&mut self, figure: &str, unit: &str, peer: Option<f64>, candor: f64, target: &Target) {
        let ratio = peer.map(|peer| peer.max(candor) / peer.min(candor).max(1e-9));
        let (wanted, is_met) = match target {
            Target::TimesLess(times) => {
                (format!("at least {times} times less"), peer.unwrap_or(0.0) >= candor * times)
            }
            Target::TimesMore(times) => {
                (format!("at least {times} times more"), candor >= peer.unwrap_or(0.0) * times)
            }
            Target::AtMost(most) => (format!("at most {most} {unit}"), candor <= *most),
            Target::AtLeast(least) => (format!("at least {least} {unit}"), candor >= *least),
            Target::None => ("-".to_owned(), true),
        };
        self.0.push([
            figure.to_owned(),
            peer.map_or_else(|| "-".to_owned(), |peer| format!("{} {unit}", round(peer))),
            format!("{} {unit}", round(candor)),
            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}")),
            if is_met { wanted } else { format!("{wanted}: MISSED") },
        ]);
    }

    pub fn print_markdown(&self, machine: &str) {
        println!("Measured: {machine}.\n");
        println!("| figure | posthog-rs 0.30.0 | candor | ratio | target |\n|---|---|---|---|---|");
        for row in &self.0 {
            println!("| {} |", row.join(" | "));
        }
    }

    pub fn print(&self, machine: &str) {
        println!("{machine}\n");
        println!("{:<58} {:>18} {:>18} {:>7}  target", "figure", "posthog-rs", "candor", "ratio");
        for [figure, peer, candor, ratio, target] in &self.0 {
            println!("{figure:<58} {peer:>18} {candor:>18} {ratio:>7}  {target}");
        }
    }
}

/// Formats a number with three significant digits and commas between thousands.
fn round(value: f64) -> String {
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
