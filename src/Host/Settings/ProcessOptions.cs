using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Sagas.Configuration;
using Sagas.Services;
using Sagas.Services.Modules;

namespace Sagas.Host.Settings;

/// <summary>What a services process is: the settings that are in no section.</summary>
internal sealed record ProcessOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "";

    /// <summary>What this process runs: any of the roles above, separated by commas.</summary>
    [DefaultValue("all")]
    public string? Roles { get; init; }

    /// <summary>How long work in flight may take after SIGTERM.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>The roles; all where <see cref="Roles"/> names none or an unknown one.</summary>
    public RoleSet RoleSet => Features.TryParseRoles(Roles, out var roles, out _) ? roles : Features.AllRoles;

    /// <inheritdoc/>
    public IEnumerable<string> Validate()
    {
        if (!Features.TryParseRoles(Roles, out _, out var unknown))
            yield return $"Roles names '{unknown}', which is not a role: "
                + $"use any of {Features.AllRoles}, separated by commas, or nothing for all.";
    }
}
