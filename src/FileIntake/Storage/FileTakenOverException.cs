namespace Sagas.FileIntake.Storage;

/// <summary>Another process took the file over and is further; the transaction must be rolled back.</summary>
public sealed class FileTakenOverException() : Exception("Another process is reading this file.");
