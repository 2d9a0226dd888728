using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake;

/// <summary>The result of processing a file.</summary>
/// <param name="File">The file with its state, reason and counts.</param>
/// <param name="WasCompleted">The same content had been completed before, or by another process in the meantime; nothing was
/// done.</param>
public sealed record FileResult(IncomingFile File, bool WasCompleted);
