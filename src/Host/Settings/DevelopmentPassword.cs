namespace Sagas.Host.Settings;

/// <summary>The password of database and broker on a developer's machine, which everyone can read in the repository.</summary>
internal static class DevelopmentPassword
{
    public const string Value = "sagas-development";
}
