//! The date and the machine of the figures. Values that cannot be read are left out.

use std::process::Command;

/// Returns the date, the processor, its cores and the compiler.
pub fn describe() -> String {
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = std::thread::available_parallelism().map(|cores| format!("{cores} cores")).ok();
    let parts = [output("date", &["-u", "+%Y-%m-%d"]), model, cores, output("rustc", &["--version"])];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
