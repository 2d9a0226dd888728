namespace Sagas.Configuration;

/// <summary>Options with rules beyond the types and ranges of their properties.</summary>
public interface IValidatedOptions
{
    /// <summary>What is wrong with these options, one sentence each; empty where they can be used.</summary>
    IEnumerable<string> Validate();
}
