//! The `waterclock` program: makes a request and says where the time went.

fn main() -> std::process::ExitCode {
    waterclock_cli::main(std::env::args_os()).into()
}
