using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Sagas.Cli.CommandLine;
using Sagas.Services.Messages;

namespace Sagas.Cli.Objects;

/// <summary><c>sagas objects post</c>.</summary>
internal static class PostObjects
{
    private const string UrlVariable = Connections.CallbackVariable;
    private const string CallbackPath = "/callback";
    private const string ExampleUrl = "http://localhost:9090/callback";

    // Much longer than any answer takes: after a timeout it is unknown whether the ids were accepted.
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);

    public static Command Create(Terminal terminal)
    {
        var ids = Ids();
        var callback = Callback();
        var command = new SagasCommand(
            "post",
            "Post ids to the callback, which has their status fetched. The callback's API key, if it has one, is "
                + "ObjectStatus__ApiKey, or CALLBACK_API_KEY in .env.",
            "sagas objects post 1 2 3",
            $"sagas objects post lamp-7 --callback {ExampleUrl}"
        )
        {
            ids,
            callback,
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                var url = parse.GetValue(callback) is { } given
                    ? Address(given)!
                    : Address(Connections.Callback(terminal))
                        ?? throw new CommandException(ExitCode.Usage, $"{UrlVariable} must be an address such as {ExampleUrl}.");
                await PostAsync(parse, terminal, url, parse.GetRequiredValue(ids), cancellationToken);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static Argument<string[]> Ids()
    {
        var ids = new Argument<string[]>("id") { Description = "The objects' ids.", Arity = ArgumentArity.OneOrMore };
        ids.Validators.Add(result =>
        {
            var wrong = result
                .Tokens.Select(token => token.Value.Trim())
                .FirstOrDefault(id => Identifiers.Problem(id) is not null);
            if (wrong is not null)
                result.AddError($"Each <id> must be 1 to {Identifiers.MaxLength} characters without control characters.");
        });
        return ids;
    }

    private static Option<string?> Callback()
    {
        var callback = new Option<string?>("--callback")
        {
            Description = $"The callback's address. Default: {UrlVariable}, else {ExampleUrl} (CALLBACK_PORT in .env).",
            HelpName = "url",
        };
        callback.Validators.Add(result =>
        {
            if (Address(result.Tokens.Count == 1 ? result.Tokens[0].Value : "") is null)
                result.AddError($"--callback must be an address such as {ExampleUrl}.");
        });
        return callback;
    }

    private static async Task PostAsync(
        ParseResult parse,
        Terminal terminal,
        Uri url,
        string[] ids,
        CancellationToken cancellationToken
    )
    {
        using var client = new HttpClient { Timeout = _timeout };
        if (Connections.CallbackKey(terminal) is { } key)
            client.DefaultRequestHeaders.TryAddWithoutValidation("X-Api-Key", key);
        try
        {
            using var response = await client.PostAsJsonAsync(url, new { object_ids = ids }, cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            if (!response.IsSuccessStatusCode)
                throw new CommandException(ExitCode.Failed, Describe(url, response.StatusCode, body));
            var accepted = JsonDocument.Parse(body).RootElement.GetProperty("accepted").GetInt32();
            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(new { url, accepted });
            else
            {
                await terminal.Output.WriteLineAsync(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Posted {accepted:N0} objects to {url}; `sagas objects list` lists those that are online"
                    )
                );
            }
        }
        catch (Exception exception)
            when (exception is HttpRequestException
                || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            throw new CommandException(
                ExitCode.CannotConnect,
                $"""
                Cannot connect to the callback at {url}: {exception.Message}
                {Connections.WhenUnavailable("callback", "--callback", UrlVariable)}
                """,
                exception
            );
        }
    }

    private static string Describe(Uri url, HttpStatusCode status, string body) =>
        status == HttpStatusCode.NotFound && url.AbsolutePath != CallbackPath
            ? $"{url} answered 404: the callback's path is {CallbackPath}. Use {new Uri(url, CallbackPath)}."
            : $"{url} answered {(int)status}: {Reason(body)}";

    private static string Reason(string body)
    {
        try
        {
            return Format.Clean(JsonDocument.Parse(body).RootElement.GetProperty("detail").GetString());
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return Format.Clean(body.Length > 200 ? body[..200] : body);
        }
    }

    private static Uri? Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : null;
}
