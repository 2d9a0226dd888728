using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Sagas.Services;
using Sagas.Services.Modules;

namespace Sagas.Host.Settings;

/// <summary>What a services process is: the settings that are in no section.</summary>
internal sealed record ProcessOptions
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
    public RoleSet RolesAmong(Features features) =>
        features.TryParseRoles(Roles, out var roles, out _) ? roles : features.AllRoles;
}

/// <summary>Checks that each role is one of the program's features.</summary>
internal sealed class RoleValidation(Features features) : IValidateOptions<ProcessOptions>
{
    public ValidateOptionsResult Validate(string? name, ProcessOptions options) =>
        features.TryParseRoles(options.Roles, out _, out var unknown)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Roles names '{unknown}', which is not a role: use any of {features.AllRoles}, separated by commas, "
                    + "or nothing for all."
            );
}
