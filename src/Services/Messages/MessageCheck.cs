using System.Runtime.CompilerServices;

namespace Sagas.Services.Messages;

/// <summary>
/// The checks that message rules are made of. Each throws <see cref="InvalidMessageException"/> with a sentence that names
/// the field.
/// </summary>
/// <param name="options">What is accepted from producers.</param>
/// <param name="timeProvider">The clock.</param>
public sealed class MessageCheck(MessagesOptions options, TimeProvider timeProvider)
{
    /// <summary>A version starts at 1.</summary>
    public void Version(object message, int value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (value < 1)
            throw Invalid(message, field, "must be at least 1");
    }

    /// <summary>An identifier from outside.</summary>
    public void Identifier(object message, string? value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (Identifiers.Problem(value) is { } problem)
            throw Invalid(message, field, problem);
    }

    /// <summary>A list of identifiers.</summary>
    public void IdentifierList(
        object message,
        IReadOnlyCollection<string>? values,
        int max,
        string things,
        [CallerArgumentExpression(nameof(values))] string field = ""
    )
    {
        if (values is null || values.Count == 0 || values.Count > max)
            throw Invalid(message, field, $"must name 1 to {max} {things}");
        foreach (var value in values)
            Identifier(message, value, field);
    }

    /// <summary>Text that is required.</summary>
    public void RequiredText(
        object message,
        string? value,
        int maxLength = TextRules.MaxLineLength,
        [CallerArgumentExpression(nameof(value))] string field = ""
    )
    {
        if (string.IsNullOrWhiteSpace(value))
            throw Invalid(message, field, "must not be empty");
        Text(message, value, maxLength, field);
    }

    /// <summary>Text of one line, such as a name; null is accepted.</summary>
    public void Line(object message, string? value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (TextRules.LineProblem(value) is { } problem)
            throw Invalid(message, field, problem);
    }

    /// <summary>An e-mail address; null and empty are accepted.</summary>
    public void Email(object message, string? value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (!string.IsNullOrWhiteSpace(value) && TextRules.EmailProblem(value) is { } problem)
            throw Invalid(message, field, problem);
    }

    /// <summary>Text that may have several lines; null is accepted.</summary>
    public void Text(
        object message,
        string? value,
        int maxLength = TextRules.MaxLineLength,
        [CallerArgumentExpression(nameof(value))] string field = ""
    )
    {
        if (TextRules.BlockProblem(value, maxLength) is { } problem)
            throw Invalid(message, field, problem);
    }

    /// <summary>A time from 1970 to a little ahead of this machine's clock; null is accepted.</summary>
    public void Time(object message, DateTimeOffset? value, [CallerArgumentExpression(nameof(value))] string field = "")
    {
        if (value is not { } at)
            return;
        if (at < DateTimeOffset.UnixEpoch)
            throw Invalid(message, field, "must not be before 1970-01-01");
        var latest = timeProvider.GetUtcNow() + options.MaxClockSkew;
        if (at > latest)
            throw Invalid(message, field, $"lies in the future: it is {at:u}, and the latest time accepted is {latest:u}");
    }

    /// <summary>The exception for a field that breaks a rule.</summary>
    public InvalidMessageException Invalid(object message, string field, string what) =>
        new($"{message.GetType().Name}: {field[(field.LastIndexOf('.') + 1)..]} {what}.");
}
