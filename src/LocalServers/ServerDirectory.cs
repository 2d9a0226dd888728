namespace Sagas.LocalServers;

/// <summary>Temporary directories of private servers, readable by their owner only.</summary>
public static class ServerDirectory
{
    public static string Create(string server) => Directory.CreateTempSubdirectory($"sagas-{server}-").FullName;

    public static void Remove(string directory)
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }
}
