//! The memory, threads and context switches of this process, as the system reports them; `None` if there is no `/proc`.

use std::fs;
use std::path::Path;

/// Returns the peak resident memory.
pub fn peak_rss_kib() -> Option<u64> {
    number(Path::new("/proc/self/status"), "VmHWM:")
}

/// Returns the resident memory.
pub fn rss_kib() -> Option<u64> {
    number(Path::new("/proc/self/status"), "VmRSS:")
}

/// Returns the number of threads.
pub fn threads() -> Option<u64> {
    number(Path::new("/proc/self/status"), "Threads:")
}

/// Returns how often the threads other than the main one were switched out: each time they waited or were preempted.
pub fn switches_of_other_threads() -> Option<u64> {
    let main = std::process::id().to_string();
    let mut switches = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let thread = thread.ok()?;
        if thread.file_name() != main.as_str() {
            let status = thread.path().join("status");
            switches += number(&status, "voluntary_ctxt_switches:")?;
            switches += number(&status, "nonvoluntary_ctxt_switches:")?;
        }
    }
    Some(switches)
}

fn number(file: &Path, name: &str) -> Option<u64> {
    let status = fs::read_to_string(file).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
