namespace Sagas.Services.Ingest;

/// <summary>Another process reads the same file and has got further; this one did nothing.</summary>
internal sealed class FileTakenOverException() : Exception("Another process is reading this file.");
