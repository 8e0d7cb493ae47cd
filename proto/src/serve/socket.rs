//! The place a provider listens at: a unix socket, or a local port where that cannot be.

use std::{
    fs, io,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use tokio::net::{TcpListener, UnixListener};

use super::{ServeError, handshake::Environment};

pub(super) enum Listener {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener, u16),
}

impl Listener {
    /// Listens where the environment wants it. A folder that is not writable, or whose name is too long for a
    /// socket (108 bytes), leads to a local port.
    pub(super) fn bind(environment: &Environment) -> Result<Self, ServeError> {
        Self::bind_unix(environment)
            .or_else(|error| {
                tracing::debug!(%error, "no unix socket, a local port instead");
                Self::bind_tcp(environment)
            })
            .map_err(ServeError::start("listen for Terraform"))
    }

    fn bind_unix(environment: &Environment) -> io::Result<Self> {
        let folder = environment.socket_folder.clone().unwrap_or_else(std::env::temp_dir);
        let named =
            tempfile::Builder::new().prefix("plugin").make_in(folder, |path| UnixListener::bind(path))?;
        let mode = if environment.socket_group.is_some() { 0o660 } else { 0o600 };
        fs::set_permissions(named.path(), fs::Permissions::from_mode(mode))?;
        if let Some(group) = &environment.socket_group {
            chown(named.path(), None, Some(group_number(group)?))?;
        }
        let (listener, path) = named.keep()?;
        Ok(Self::Unix(listener, path))
    }

    fn bind_tcp(environment: &Environment) -> io::Result<Self> {
        let mut refused = io::Error::new(io::ErrorKind::AddrInUse, "the range of ports is empty");
        for port in environment.ports.clone() {
            match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(listener) => {
                    listener.set_nonblocking(true)?;
                    return Ok(Self::Tcp(TcpListener::from_std(listener)?, port));
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Network and address, as the handshake names them.
    pub(super) fn address(&self) -> (&'static str, String) {
        match self {
            Self::Unix(_, path) => ("unix", path.display().to_string()),
            Self::Tcp(_, port) => ("tcp", format!("127.0.0.1:{port}")),
        }
    }

    /// The file to remove at the end.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Unix(_, path) => Some(path.clone()),
            Self::Tcp(..) => None,
        }
    }
}

fn group_number(group: &str) -> io::Result<u32> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let groups = fs::read_to_string(Path::new("/etc/group"))?;
    let number = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(group)).then(|| fields.nth(1))?
    });
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no group `{group}`")))
}
